"""What Python's sockets send: counted, and held back where it would empty a server.

A backend whose ``clear()`` is not isolated would send the command that deletes what
others have there. It is refused here, and the probe says so.
"""

from __future__ import annotations

import re
import socket
import ssl
import sys
from collections.abc import Callable
from typing import Any

__all__ = ["EmptiesServerError", "Wire", "emptying"]

# Of Redis and Valkey: the first word of a command.
_OF_REDIS = re.compile(rb"(?i)\*\d+\r\n\$\d+\r\n(FLUSHDB|FLUSHALL)\r\n")
# Of memcached: the start of a line.
_OF_MEMCACHED = re.compile(rb"(?:^|\r\n)(flush_all)\b")
# A command that empties a server is short, and not behind much else.
_LONG = 4096


class EmptiesServerError(Exception):
    """A command was about to be sent that deletes what others have on a server."""


class Wire:
    """Watches all sockets of this process from now on."""

    def __init__(self, *, is_refusing: bool) -> None:
        self._is_refusing = is_refusing
        self.sent = 0
        for owner in (socket.socket, ssl.SSLSocket):
            for name in ("send", "sendall"):
                setattr(owner, name, self._watching(getattr(owner, name)))
        if hasattr(socket.socket, "sendmsg"):
            # That of asyncio. There is none for SSL.
            send_all = socket.socket.sendmsg

            def send_held(this: socket.socket, _: bytes, *args: Any) -> Any:
                return send_all(this, *args)

            watched = self._watching(send_held)

            def sendmsg(this: socket.socket, buffers: Any, *args: Any) -> Any:
                held = [*buffers]
                return watched(this, b"".join(held), held, *args)

            socket.socket.sendmsg = sendmsg  # type: ignore[method-assign,assignment]
        # It is written in C, and has sockets of its own.
        library = sys.modules.get("pylibmc")
        if library is not None and is_refusing:
            library.Client.flush_all = _refusing

    def _watching(self, send: Callable[..., Any]) -> Callable[..., Any]:
        def watched(this: socket.socket, data: Any, *args: Any) -> Any:
            self.sent += 1
            if self._is_refusing and (word := emptying(data)):
                raise EmptiesServerError(f"{word} was not sent")
            return send(this, data, *args)

        return watched


def emptying(data: bytes | bytearray | memoryview) -> str:
    """Return the command in what is sent that empties a server, "" if there is none."""
    start = bytes(data[:_LONG])
    pattern = _OF_REDIS if start.startswith(b"*") else _OF_MEMCACHED
    found = pattern.search(start)
    return found[1].decode() if found else ""


def _refusing(*_: object, **__: object) -> None:
    raise EmptiesServerError("flush_all was not sent")
