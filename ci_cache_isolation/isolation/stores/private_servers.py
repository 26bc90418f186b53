"""What private servers hold, as something that can be copied and put back."""

from __future__ import annotations

import itertools
import math
import socket
import time
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any, cast
from urllib.parse import unquote_to_bytes, urlsplit

from ci_cache_isolation.isolation import servers
from ci_cache_isolation.isolation.dialects import Dialect, dialect_of
from ci_cache_isolation.isolation.stores.snapshots import NOTHING, Snapshot

__all__ = [
    "Contained",
    "can_contain",
    "contained_for",
    "lead_first",
    "lead_to",
    "make_own_clients",
]

_REDIRECTED = "_ci_cache_isolation_private"
_STANDS_FOR = "_ci_cache_isolation_stands_for"
_BETWEEN_QUESTIONS = 0.01
# So few that a server has room for what it is asked before it answers.
_AT_ONCE = 100
# A test may freeze the clock, and patch this too.
_sleep = time.sleep
_MAKES_CLIENT = "_ci_cache_isolation_makes_client"


class Contained(ABC):
    """One private server, and what it was last seen to hold."""

    def __init__(self, kind: str, option: str | None) -> None:
        self.server = servers.start(kind, option)
        self._seen: tuple[int, Snapshot] = (-1, NOTHING)

    @abstractmethod
    def url(self, number: object) -> str:
        """Return the URL of one of its databases."""

    @abstractmethod
    def changes(self) -> int:
        """Return a number that differs whenever the contents may."""

    @abstractmethod
    def contents(self) -> Snapshot:
        """Copy everything."""

    @abstractmethod
    def replace(self, kept: Snapshot) -> None:
        """Put contents in the place of everything."""

    def read(self) -> Snapshot:
        """Copy everything, if it has changed since it was last done."""
        changes = self.changes()
        if changes != self._seen[0]:
            self._seen = changes, self.contents()
        return self._seen[1]

    def read_in_child(self) -> Snapshot:
        """Copy everything in a forked process; nothing if the parent has ended."""
        try:
            self.reconnect()
            return self.contents()
        except Exception:  # noqa: BLE001 - each library has errors of its own
            return NOTHING

    def reconnect(self) -> None:
        """Open a connection of this process's own, where that is not done by itself."""

    def write(self, kept: Snapshot) -> None:
        """Put contents in the place of everything, unless that is what is there."""
        if self.changes() == self._seen[0] and self._seen[1] == kept:
            return
        self.replace(kept)
        self._seen = self.changes(), kept


def contained_for(
    cache: Any, known: dict[Hashable, Contained], option: str | None
) -> Contained | None:
    """Return the server that replaces a cache's, started if need be."""
    own: Contained | None = vars(cache).get(_REDIRECTED)
    if own is not None and own in known.values():
        return own
    dialect = dialect_of(type(cache))
    kind = "" if dialect is None else dialect.server_kind
    if dialect is None or not kind:
        return None
    # Databases of one server stay databases of one server. In a forked process the
    # cache leads to the parent's already.
    identity = vars(cache).get(_STANDS_FOR)
    if identity is None:
        identity = kind, tuple(_addresses(dialect.server(cache)))
        vars(cache)[_STANDS_FOR] = identity
    if identity not in known:
        known[identity] = _CONTAINED[kind](kind, option)
    vars(cache)[_REDIRECTED] = known[identity]
    return known[identity]


def lead_first(cache: Any, lead: Callable[[], None]) -> None:
    """Have a cache forget its client, and call ``lead`` before it makes another.

    For a forked child, whose own server is started when it is needed.
    """
    dialect = _known(cache)
    dialect.forget_client(cache)
    name = dialect.client_maker
    vars(cache).setdefault(_MAKES_CLIENT, (name, getattr(cache, name)))

    def make_client(*_: Any, **__: Any) -> Any:
        # Not with what was given: that is the parent's address.
        lead()
        return dialect.client_of(cache)

    setattr(cache, name, make_client)


def make_own_clients(cache: Any) -> None:
    """Have a cache make its clients itself again."""
    if _MAKES_CLIENT in vars(cache):
        setattr(cache, *vars(cache).pop(_MAKES_CLIENT))


def can_contain(cache_class: type) -> bool:
    """Return whether there is a server to be started for a backend."""
    dialect = dialect_of(cache_class)
    return dialect is not None and bool(dialect.server_kind)


def lead_to(cache: Any, contained: Contained) -> None:
    """Lead a cache to a server, before it connects anywhere else."""
    _known(cache).redirect(cache, contained.url)


def _known(cache: Any) -> Dialect:
    dialect = dialect_of(type(cache))
    assert dialect is not None
    return dialect


class RedisContained(Contained):
    """A Redis or Valkey, behind Django's own backend, django-redis or django-valkey."""

    def __init__(self, kind: str, option: str | None) -> None:
        super().__init__(kind, option)
        library = __import__(kind)
        client_class = library.Redis if kind == "redis" else library.Valkey
        self._client_class = client_class
        self._clients: dict[int, Any] = {}
        self._client = self._client_for(0)

    def url(self, number: object) -> str:
        """Return the URL of one of its databases."""
        return self.server.url.replace("db=0", f"db={number}")

    def changes(self) -> int:
        """Return how many changes the server has counted."""
        return int(self._client.info("persistence")["rdb_changes_since_last_save"])

    def contents(self) -> Snapshot:
        """Dump all keys of all databases."""
        entries: dict[Hashable, bytes] = {}
        expiries: dict[Hashable, float | None] = {}
        for number, client in self._in_use():
            for keys in _batches(dict.fromkeys(client.scan_iter(count=1000))):
                with client.pipeline(transaction=True) as pipeline:
                    pipeline.time()
                    for key in keys:
                        pipeline.dump(key).pttl(key)
                    now, *answers = pipeline.execute()
                for key, value, left in zip(
                    keys, answers[::2], answers[1::2], strict=True
                ):
                    if value is not None:
                        entries[number, key] = value
                        expiries[number, key] = (
                            None if left < 0 else _seconds(now) + left / 1000
                        )
        return Snapshot(entries, expiries)

    def replace(self, kept: Snapshot) -> None:
        """Flush, and restore what is left of every key."""
        self._client.flushall()
        now = _seconds(self._client.time()) if kept.entries else 0.0
        for places in _batches(kept.entries):
            pipelines: dict[int, Any] = {}
            for place in places:
                number, key = cast("tuple[int, bytes]", place)
                expiry = kept.expiries[place]
                left = 0 if expiry is None else math.ceil((expiry - now) * 1000)
                if expiry is None or left > 0:
                    if number not in pipelines:
                        client = self._client_for(number)
                        pipelines[number] = client.pipeline(transaction=False)
                    pipelines[number].restore(key, left, kept.entries[place])
            for each in pipelines.values():
                each.execute()

    def _in_use(self) -> Iterator[tuple[int, Any]]:
        for name in self._client.info("keyspace"):
            number = int(name.removeprefix("db"))
            yield number, self._client_for(number)

    def _client_for(self, number: int) -> Any:
        if number not in self._clients:
            self._clients[number] = self._client_class(
                unix_socket_path=self.server.socket, db=number
            )
        return self._clients[number]


class MemcachedContained(Contained):
    """A memcached."""

    def __init__(self, kind: str, option: str | None) -> None:
        super().__init__(kind, option)
        self.reconnect()

    def reconnect(self) -> None:
        """Open a connection of this process's own."""
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(servers.PATIENCE)
        self._socket.connect(self.server.socket)
        self._file = self._socket.makefile("rb")
        # At the latest at exit: Python warns of a socket that nobody has closed.
        for each in (self._file, self._socket):
            weakref.finalize(self, each.close)

    def url(self, number: object) -> str:  # noqa: ARG002
        """Return its address: it has one database."""
        return self.server.url

    def changes(self) -> int:
        """Return how many commands that change something the server has counted."""
        counted = {"cmd_set", "cmd_touch", "cmd_flush", "delete_hits"}
        counted |= {"incr_hits", "decr_hits", "cas_hits"}
        total = 0
        for line in self._ask(b"stats"):
            _, name, value = line.decode().split(" ", 2)
            total += int(value) if name in counted else 0
        return total

    def contents(self) -> Snapshot:
        """Get all items, with their flags."""
        entries: dict[Hashable, bytes] = {}
        expiries: dict[Hashable, float | None] = {}
        listed = {}
        for line in self._listed():
            about = dict(part.split(b"=", 1) for part in line.split() if b"=" in part)
            listed[unquote_to_bytes(about[b"key"])] = int(about[b"exp"])
        for keys in _batches(listed):
            self._socket.sendall(b"".join(b"get %b\r\n" % key for key in keys))
            for key in keys:
                item, expiry = self._item(), listed[key]
                if item is not None:
                    entries[key] = item
                    expiries[key] = None if expiry < 0 else float(expiry)
        return Snapshot(entries, expiries)

    def _listed(self) -> list[bytes]:
        """Ask for all items, by way of the hash table.

        The crawler of the lists misses items that are moved from one list to another
        meanwhile: 15 times in 4,000 with memcached 1.6.18. Older ones know only that.
        """
        try:
            return self._ask(b"lru_crawler metadump hash")
        except ConnectionError:
            return self._ask(b"lru_crawler metadump all")

    def replace(self, kept: Snapshot) -> None:
        """Flush, and set what is left of every item."""
        self._tell([b"flush_all"])
        for keys in _batches(kept.entries):
            commands = []
            for key in keys:
                flags, _, value = kept.entries[key].partition(b" ")
                expiry = int(kept.expiries[key] or 0)
                about = b"%b %d %d" % (flags, expiry, len(value))
                name = cast("bytes", key)
                commands.append(b"set %b %b\r\n%b" % (name, about, value))
            self._tell(commands)

    def _item(self) -> bytes | None:
        """Read the answer to one ``get``."""
        header = self._file.readline().split()
        if header[0] == b"END":
            return None
        value = self._file.read(int(header[3]) + 2)[:-2]
        self._file.readline()
        return header[2] + b" " + value

    def _ask(self, command: bytes) -> list[bytes]:
        for _ in range(int(servers.PATIENCE / _BETWEEN_QUESTIONS)):
            lines = self._answered(command)
            if lines is not None:
                return lines
            # Its crawler works for somebody else, or still for the question before.
            _sleep(_BETWEEN_QUESTIONS)
        raise ConnectionError(f"memcached was busy each time it was asked {command!r}")

    def _answered(self, command: bytes) -> list[bytes] | None:
        """Return the lines of an answer; None if it has no time."""
        self._socket.sendall(command + b"\r\n")
        lines = []
        while (line := self._file.readline().rstrip(b"\r\n")) != b"END":
            if line.startswith(b"BUSY"):
                return None
            if not line or line.startswith((b"ERROR", b"CLIENT_ERROR")):
                raise ConnectionError(f"memcached answered {line!r} to {command!r}")
            if not line.startswith(b"OK"):
                lines.append(line)
        return lines

    def _tell(self, commands: list[bytes]) -> None:
        self._socket.sendall(b"".join(each + b"\r\n" for each in commands))
        for _ in commands:
            self._file.readline()


_CONTAINED: dict[str, type[Contained]] = {
    "memcached": MemcachedContained,
    "redis": RedisContained,
    "valkey": RedisContained,
}


def _batches(keys: Iterable[Hashable]) -> Iterator[list[Any]]:
    """Yield some at a time: each batch takes one round trip."""
    left = iter(keys)
    while batch := list(itertools.islice(left, _AT_ONCE)):
        yield batch


def _seconds(time: tuple[int, int]) -> float:
    seconds, microseconds = time
    return seconds + microseconds / 1e6


def _addresses(server: Hashable) -> Iterator[str]:
    """Yield the addresses in what two caches on one server have in common."""
    if isinstance(server, tuple):
        for each in server:
            yield from _addresses(each)
        return
    text = str(server)
    if "://" not in text:
        yield text
        return
    parts = urlsplit(text)
    path = parts.path if parts.scheme.startswith("unix") else ""
    yield f"{parts.scheme}://{parts.netloc}{path}"
