"""What a forked child inherits inside of caches: connections, and locks.

Two processes on one socket take each other's answers, and a word at closing ends it for
both. So below the objects each socket is exchanged for a dead one: what the child does
with it reaches nobody. Then its holder is asked to disconnect, and connects again when
it is next used. The objects stay, since code holds them and tests patch them.

No backend is known here. What belongs to a cache is found as the garbage collector
finds it, which runs nobody's code.
"""

from __future__ import annotations

import builtins
import enum
import functools
import gc
import inspect
import os
import re
import socket
import stat
import sys
import threading
import types
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from django.conf import settings
from django.core.cache import caches
from django.core.cache.backends import locmem

from ci_cache_isolation.isolation import notices
from ci_cache_isolation.isolation.process import (
    free_inherited,
    is_lock,
)

__all__ = ["PLACES", "knows", "note", "renew"]

PLACES = ("_servers", "_server", "_table", "_dir", "_location")
"""Where backends keep what they were given as LOCATION."""
_VERBS = ("disconnect", "disconnect_all", "close")
_DESCRIPTORS = Path("/dev/fd")
_MANY = 20_000
"""Objects of one cache after which no more are looked at."""
_SUFFIXES = tuple(EXTENSION_SUFFIXES)
_ATOMS = frozenset({str, bytes, int, float, bool, complex, type(None)})
_ELSEWHERE = (
    *(type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType),
    *(types.CodeType, types.FrameType, types.GeneratorType, types.CoroutineType),
    *(types.AsyncGeneratorType, threading.Thread),
)
# Whose objects lead to all others, or are the business of somebody else. Those of an
# event loop are of no use in a fork.
_CLOSED = frozenset(
    {"asyncio", "ci_cache_isolation", "django", "logging", "unittest", "uvloop"}
)
_OPEN = "django.core.cache"
# They can't be used again once they are closed.
_STREAMS = frozenset({"_io", "_socket", "io", "socket", "ssl"})
_DEFAULT_PORTS = {6379, 11211}
_NOT_RENEWED = (
    "Cache {alias!r} ({backend}) was connected when this process was forked, and "
    "nothing that it holds disconnects it: this process does not use its parent's "
    "connection, so the next operation may fail. "
    "Give the backend a close() after which it connects again."
)
_held: dict[int, tuple[str, weakref.ref[Any]]] = {}


def note(alias: str, cache: object) -> None:
    """Take note of a cache: if this process forks, it is in the child as well."""
    identity = id(cache)
    # Not all classes let their objects be referred to weakly.
    with suppress(TypeError):
        held = weakref.ref(cache, lambda _: _held.pop(identity, None))
        _held[identity] = alias, held


def knows(cache: object) -> bool:
    """Return whether a cache was noted."""
    _, held = _held.get(id(cache), ("", None))
    return held is not None and held() is cache


def renew() -> None:
    """Let caches of a child that was just forked connect anew, and free their locks."""
    for each in vars(caches._connections).values():  # type: ignore[attr-defined]  # noqa: SLF001
        if is_lock(type(each)):
            free_inherited(each)
    alive = [(alias, held()) for alias, held in list(_held.values())]
    sort_of = functools.cache(_sort_of)
    found = [
        _Holdings(alias, cache, sort_of) for alias, cache in alive if cache is not None
    ]
    found = [each for each in found if each.may_be_connected]
    if not found:
        return
    connected = _connected()
    dead, other = socket.socketpair()
    other.close()
    with dead:
        for each in found:
            each.cut_off(connected, dead)
        for each in found:
            each.disconnect(os.fstat(dead.fileno()).st_ino)


class _Sort(enum.Enum):
    """What an object is, by its class."""

    CLOSED = enum.auto()
    SOCKET = enum.auto()
    LOCK = enum.auto()
    COMPILED = enum.auto()
    PLAIN = enum.auto()


class _Node:
    """An object, and the one by way of which it was found."""

    __slots__ = ("found", "holder")

    def __init__(self, found: Any, holder: _Node | None) -> None:
        self.found = found
        self.holder = holder

    def holders(self) -> Iterator[Any]:
        """Yield the objects that hold it, the nearest first, the cache last."""
        node = self.holder
        while node is not None:
            yield node.found
            node = node.holder


class _Holdings:
    """A cache, the sockets that belong to it, and clients that are written in C."""

    def __init__(
        self, alias: str, cache: Any, sort_of: Callable[[type], _Sort]
    ) -> None:
        self._alias = alias
        self._cache = cache
        self._sockets: list[_Node] = []
        self._compiled: list[Any] = []
        self._cut: set[int] = set()
        for node in _reached(cache, sort_of):
            match sort_of(type(node.found)):
                case _Sort.SOCKET:
                    self._sockets.append(node)
                case _Sort.LOCK:
                    free_inherited(node.found)
                case _Sort.COMPILED:
                    self._compiled.append(node.found)

    @property
    def may_be_connected(self) -> bool:
        """Whether anything was found that has connections."""
        return bool(self._sockets or self._compiled)

    def cut_off(self, connected: dict[int, Any] | None, dead: socket.socket) -> None:
        """Put a dead socket in the place of each that is connected to a server.

        ``connected`` holds their peers, None where it can't be known. The sockets of a
        client in C are told by their peer: it is the cache's server.
        """
        numbers = {node.found.fileno() for node in self._sockets} - {-1}
        if connected is not None:
            numbers &= connected.keys()
            if self._compiled:
                servers = self._servers()
                numbers |= {
                    number for number, peer in connected.items() if peer in servers
                }
            for number in numbers:
                del connected[number]
        for number in numbers:
            os.dup2(dead.fileno(), number, inheritable=False)
        self._cut = numbers

    def disconnect(self, dead: int) -> None:
        """Ask holders of what was cut off to let it go; ``dead`` is the inode of it."""
        for node in self._sockets:
            if node.found.fileno() in self._cut:
                for holder in node.holders():
                    _ask_to_disconnect(holder)
                    if node.found.fileno() == -1:
                        break
        if any(_is(number, dead) for number in self._cut):
            for client in self._compiled:
                _ask_to_disconnect(client)
        if any(_is(number, dead) for number in self._cut):
            kind = type(self._cache)
            backend = f"{kind.__module__}.{kind.__qualname__}"
            notices.note(_NOT_RENEWED.format(alias=self._alias, backend=backend))

    def _servers(self) -> set[Any]:
        """Return the ports and paths of the cache's servers, as it was given them."""
        state = vars(self._cache)
        given = [state[name] for name in PLACES if name in state]
        if settings.configured and self._alias in caches.settings:
            given.append(caches.settings[self._alias].get("LOCATION", ""))
        found: set[Any] = set()
        for each in given:
            for text in each if isinstance(each, list | tuple) else [each]:
                path = unquote(re.sub(r"^\w*unix:(//)?|\?.*", "", str(text)))
                numbers = re.findall(r":(\d+)(?!.*\])", str(text))
                ports = {int(number) for number in numbers}
                found |= {path} if path.startswith("/") else ports or _DEFAULT_PORTS
        return found


def _reached(cache: Any, sort_of: Callable[[type], _Sort]) -> Iterator[_Node]:
    """Yield what belongs to a cache, the nearest first; entries in memory do not."""
    waiting = deque([_Node(cache, None)])
    memories: list[Any] = [
        *locmem._caches.values(),  # type: ignore[attr-defined]  # noqa: SLF001
        *locmem._expire_info.values(),  # type: ignore[attr-defined]  # noqa: SLF001
    ]
    seen = {id(cache), *map(id, memories)}
    while waiting and len(seen) < _MANY:
        node = waiting.popleft()
        yield node
        found = node.found
        is_local = isinstance(found, threading.local)
        for each in [vars(found)] if is_local else gc.get_referents(found):
            if id(each) not in seen and sort_of(type(each)) is not _Sort.CLOSED:
                seen.add(id(each))
                waiting.append(_Node(each, node))


def _sort_of(kind: type) -> _Sort:
    module = str(kind.__module__)
    if kind in _ATOMS or issubclass(kind, _ELSEWHERE):
        return _Sort.CLOSED
    if module.partition(".")[0] in _CLOSED and not module.startswith(_OPEN):
        return _Sort.CLOSED
    if issubclass(kind, socket.SocketType):
        return _Sort.SOCKET
    if is_lock(kind):
        return _Sort.LOCK
    return _Sort.COMPILED if _is_compiled(kind) and _verbs_of(kind) else _Sort.PLAIN


def _is_compiled(kind: type) -> bool:
    """Return whether a class rests on one of somebody's that is written in C."""
    for each in kind.__mro__:
        module = sys.modules.get(str(each.__module__))
        file = str(getattr(module, "__file__", ""))
        # In C a class need not say its module, as that of pylibmc does not.
        if file.endswith(_SUFFIXES) or (
            module is builtins and not hasattr(builtins, each.__name__)
        ):
            return True
    return False


def _verbs_of(kind: type) -> list[Any]:
    found = [getattr(kind, verb, None) for verb in _VERBS]
    return [
        each
        for each in found
        if callable(each) and not inspect.iscoroutinefunction(each)
    ]


def _ask_to_disconnect(holder: Any) -> None:
    kind = type(holder)
    if str(kind.__module__).partition(".")[0] not in _STREAMS:
        for verb in _verbs_of(kind)[:1]:
            # It may tell a server that is no longer there.
            with suppress(Exception):
                verb(holder)


def _connected() -> dict[int, Any] | None:
    """Return the streams of this process that are connected, with their peers.

    A peer is a port or a path. None where descriptors can't be listed.
    """
    try:
        numbers = [int(path.name) for path in _DESCRIPTORS.iterdir()]
    except OSError:
        return None
    found = {}
    with _no_default_timeout():
        for number in numbers:
            with suppress(OSError):
                if stat.S_ISSOCK(os.fstat(number).st_mode):
                    with socket.socket(fileno=os.dup(number)) as same:
                        peer = same.getpeername()
                        if peer and same.type == socket.SOCK_STREAM:
                            is_address = isinstance(peer, tuple)
                            found[number] = peer[1] if is_address else peer
    return found


@contextmanager
def _no_default_timeout() -> Iterator[None]:
    """Make no socket non-blocking by looking at it: its parent's would be so too."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(None)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _is(number: int, inode: int) -> bool:
    with suppress(OSError):
        return os.fstat(number).st_ino == inode
    return False
