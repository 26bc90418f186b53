"""The stores that are measured, each with its settings and its server."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.servers import running, running_postgres

__all__ = ["STORES", "Kind", "Site", "Store"]

DJANGO = "django.core.cache.backends"
SQLITE = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}


class Kind(enum.Enum):
    """How a section of a store is made, as goals tell stores apart."""

    MEMORY = "memory"
    FILES = "files"
    KEYSPACE = "keyspace"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Site:
    """Settings of one contestant: its own corner of a store that others use too."""

    cache: dict[str, Any]
    database: dict[str, Any] = field(default_factory=dict)


Sites = Callable[[int], Site]


@dataclass(frozen=True, slots=True)
class Store:
    """A store by name; ``opened`` starts its server and hands out sites by number.

    ``can_be_cut`` tells whether its client can do without the network.
    """

    name: str
    kind: Kind
    opened: Callable[[Path], AbstractContextManager[Sites]]
    can_be_cut: bool = False
    is_redis: bool = False

    @property
    def forgets(self) -> bool:
        """Whether there is nothing to isolate."""
        return self.kind is Kind.NOTHING


@contextmanager
def _memory(_folder: Path) -> Iterator[Sites]:
    yield lambda _: Site({"BACKEND": f"{DJANGO}.locmem.LocMemCache"})


@contextmanager
def _dummy(_folder: Path) -> Iterator[Sites]:
    yield lambda _: Site({"BACKEND": f"{DJANGO}.dummy.DummyCache"})


@contextmanager
def _files(folder: Path) -> Iterator[Sites]:
    def site(number: int) -> Site:
        location = folder / f"files-{number}"
        location.mkdir(exist_ok=True)
        return Site(
            {
                "BACKEND": f"{DJANGO}.filebased.FileBasedCache",
                "LOCATION": str(location),
            }
        )

    yield site


def _table(database: dict[str, Any]) -> Site:
    backend = f"{DJANGO}.db.DatabaseCache"
    return Site({"BACKEND": backend, "LOCATION": "cache_table"}, database)


@contextmanager
def _sqlite(_folder: Path) -> Iterator[Sites]:
    yield lambda _: _table(SQLITE)


@contextmanager
def _postgres(_folder: Path) -> Iterator[Sites]:
    with running_postgres() as server:
        yield lambda number: _table(
            {**server.database, "TEST": {"NAME": f"test_{number}"}}
        )


def _on_server(
    kind: str, backend: str, location: str
) -> Callable[[Path], AbstractContextManager[Sites]]:
    """Start a server on a Unix socket; each site has a database of it, if it has."""

    @contextmanager
    def opened(_folder: Path) -> Iterator[Sites]:
        with running(kind, on_socket=True) as server:
            url = server.location.partition("?")[0]
            yield lambda number: Site(
                {
                    "BACKEND": backend,
                    "LOCATION": location.format(url=url, number=number),
                }
            )

    return opened


STORES = (
    Store("locmem", Kind.MEMORY, _memory),
    Store("dummy", Kind.NOTHING, _dummy),
    Store("file", Kind.FILES, _files),
    Store("db-sqlite", Kind.KEYSPACE, _sqlite, can_be_cut=True),
    Store("db-postgres", Kind.KEYSPACE, _postgres),
    Store(
        "redis",
        Kind.KEYSPACE,
        _on_server("redis", f"{DJANGO}.redis.RedisCache", "{url}?db={number}"),
        can_be_cut=True,
        is_redis=True,
    ),
    Store(
        "django-redis",
        Kind.KEYSPACE,
        _on_server("redis", "django_redis.cache.RedisCache", "{url}?db={number}"),
        can_be_cut=True,
        is_redis=True,
    ),
    Store(
        "django-valkey",
        Kind.KEYSPACE,
        _on_server("valkey", "django_valkey.cache.ValkeyCache", "{url}?db={number}"),
        can_be_cut=True,
        is_redis=True,
    ),
    Store(
        "pymemcache",
        Kind.KEYSPACE,
        _on_server("memcached", f"{DJANGO}.memcached.PyMemcacheCache", "{url}"),
        can_be_cut=True,
    ),
    Store(
        "pylibmc",
        Kind.KEYSPACE,
        _on_server("memcached", f"{DJANGO}.memcached.PyLibMCCache", "{url}"),
        can_be_cut=True,
    ),
)
