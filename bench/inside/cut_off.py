"""A client cut off from its server: it is given the answers that the server once gave.

What isolation adds to an operation is a microsecond or so, and a round trip varies by
more. So one real operation is recorded, and from then on the client does all that it
does (keys, packing, parsing), while the server's answers come from a tape.
"""

from __future__ import annotations

import errno
import itertools
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self

from django.db import connections

__all__ = ["cut_off", "make_cuttable"]


class Tape:
    """The answers to one operation: taken down once, then given again and again."""

    def __init__(self) -> None:
        self._written: list[Any] | None = None
        self._repeated: Iterator[Any] | None = None

    @property
    def is_playing(self) -> bool:
        """Whether answers come from the tape."""
        return self._repeated is not None

    def answer(self, ask: Callable[[], Any]) -> Any:
        """Return what the server says, or said."""
        if self._repeated is not None:
            return next(self._repeated)
        answer = ask()
        if self._written is not None:
            self._written.append(answer)
        return answer

    def record(self) -> None:
        """Take down every answer from now on."""
        self._written = []

    def play(self) -> None:
        """Give the recorded answers from now on, over and over."""
        self._repeated, self._written = itertools.cycle(self._written or ()), None

    def stop(self) -> None:
        """Ask the server again."""
        self._repeated = None


TAPE = Tape()
"""One for the process: a worker has one client."""


class CuttableSocket(socket.socket):
    """A socket whose answers can come from the tape."""

    _outstanding = 0

    def sendall(self, data: Any, flags: int = 0, /) -> None:
        """Send, or make believe."""
        if TAPE.is_playing:
            self._outstanding += 1
        else:
            super().sendall(data, flags)

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        """Return an answer to what was sent."""
        if TAPE.is_playing:
            # Pools look whether anything is left to be read.
            if not self._outstanding:
                raise BlockingIOError(errno.EWOULDBLOCK, "nothing was sent")
            self._outstanding -= 1
        received: bytes = TAPE.answer(
            lambda: super(CuttableSocket, self).recv(size, flags)
        )
        return received


class CuttableClient:
    """pylibmc's client, whose sockets are C's: its methods' results are the answers."""

    def __init__(self, client: Any) -> None:
        for name in ("get", "set", "get_multi", "incr", "delete"):
            setattr(self, name, self._answering(getattr(client, name)))

    @staticmethod
    def _answering(method: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *args, **kwargs: TAPE.answer(lambda: method(*args, **kwargs))


class CuttableCursor:
    """A database cursor: what it fetches are the answers."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._cursor is not None:
            self._cursor.__exit__(*error)

    def execute(self, *args: Any) -> None:
        """Execute, or make believe."""
        if self._cursor is not None:
            self._cursor.execute(*args)

    def fetchone(self) -> Any:
        """Return an answer."""
        # A cursor is there only where it is asked.
        return TAPE.answer(lambda: self._cursor.fetchone())  # noqa: PLW0108

    def fetchall(self) -> Any:
        """Return an answer."""
        return TAPE.answer(lambda: self._cursor.fetchall())  # noqa: PLW0108

    @property
    def rowcount(self) -> Any:
        """Return an answer."""
        return TAPE.answer(lambda: self._cursor.rowcount)


def make_cuttable() -> None:
    """Let every socket opened from now on be one that can be cut off."""
    socket.socket = CuttableSocket  # type: ignore[misc]


@contextmanager
def cut_off(cache: Any, operation: Callable[[], object]) -> Iterator[None]:
    """Run an operation twice for real, then repeat the second one's answers.

    The first may open connections, or fetch a key from an outer scope.
    """
    restore = _with_cuttable_client(cache)
    try:
        operation()
        TAPE.record()
        operation()
        TAPE.play()
        yield
    finally:
        TAPE.stop()
        restore()


def _with_cuttable_client(cache: Any) -> Callable[[], None]:
    if type(cache).__name__ == "PyLibMCCache":
        client = cache._cache  # noqa: SLF001
        cache._cache = CuttableClient(client)  # noqa: SLF001
        return lambda: setattr(cache, "_cache", client)
    if "default" in connections.settings and hasattr(cache, "_table"):
        connection: Any = connections["default"]
        cursor = connection.cursor

        def cuttable() -> CuttableCursor:
            return CuttableCursor(None if TAPE.is_playing else cursor())

        connection.cursor = cuttable
        return lambda: delattr(connection, "cursor")
    return lambda: None
