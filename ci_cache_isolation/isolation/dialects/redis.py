"""Django's own backend for Redis and Valkey."""

from __future__ import annotations

import re
import weakref
from collections.abc import Callable, Hashable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.core.cache.backends.redis import RedisCacheClient

from ci_cache_isolation.isolation.clocks import Expiries, steady
from ci_cache_isolation.isolation.dialects.base import Dialect

__all__ = [
    "OF_THE_ADDRESS",
    "RedisDialect",
    "address",
    "copy_between",
    "copy_on_server",
    "database",
    "state_on_server",
]

OF_THE_ADDRESS = re.compile(
    r"(?i)host|port|password|username|credential_provider|unix_socket_path|"
    r"(connection_)?ssl.*|socket_keepalive.*|socket_type|connection_pool_class"
)
"""Options of no use for a socket of one's own; without a password servers refuse some.
"""
_NOT_THERE = -2
"""What PTTL answers for a key that does not exist; -1 is for one that never expires."""


class RedisDialect(Dialect):
    """``django.core.cache.backends.redis.RedisCache`` and what derives from it."""

    packages = ("django",)
    cleared = True
    server_kind = "redis"

    @staticmethod
    def speaks(cache_class: type) -> bool:
        """Return whether Django's class is among its base classes."""
        names = [f"{each.__module__}.{each.__name__}" for each in cache_class.__mro__]
        return "django.core.cache.backends.redis.RedisCache" in names

    def server(self, cache: Any) -> Hashable:
        """Return where its databases are, however that is written."""
        number = cache._options.get("db")  # noqa: SLF001
        return tuple(address(url, number) for url in cache._servers)  # noqa: SLF001

    def location(self, cache: Any) -> str:
        """Return its URLs."""
        from ci_cache_isolation.isolation.redaction import redacted  # noqa: PLC0415

        return redacted(cache._servers)  # noqa: SLF001

    def copy(self, cache: Any, source: str, target: str, expiries: Expiries) -> None:  # noqa: ARG002
        """Have the server copy it, with the time that it has left."""
        copy_on_server(_client(cache, target), source, target)

    def state(self, cache: Any, full: str, expiries: Expiries) -> object:  # noqa: ARG002
        """Return the value and its end."""
        return state_on_server(_client(cache, full), full)

    def delete(self, cache: Any, names: list[str]) -> None:
        """Have the server drop them, in one command."""
        _client(cache, names[0]).unlink(*names)

    @staticmethod
    def client_module(cache_class: type) -> str:  # noqa: ARG004
        """Return redis, which is imported late."""
        return "redis"

    def redirect(self, cache: Any, url: Callable[[object], str]) -> None:
        """Exchange its URLs, keeping the number of its database."""
        given = cache._options  # noqa: SLF001
        number = given.get("db", database(cache._servers[0]))  # noqa: SLF001
        cache._options = {  # noqa: SLF001
            name: value
            for name, value in given.items()
            if not OF_THE_ADDRESS.fullmatch(name)
        }
        cache._servers = [url(number)]  # noqa: SLF001
        self.forget_client(cache)


class _Moment:
    """A moment as a server tells it, by what is left until then."""

    __slots__ = ("at",)

    def __init__(self, milliseconds: int) -> None:
        self.at = steady() + milliseconds / 1000

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Moment) and abs(self.at - other.at) < 1

    __hash__ = None  # type: ignore[assignment]


def state_on_server(client: Any, name: str) -> object:
    """Return what a key of any type holds, and when it ends."""
    value, milliseconds = client.dump(name), client.pttl(name)
    return value, milliseconds if milliseconds < 0 else _Moment(milliseconds)


def copy_on_server(client: Any, source: str, target: str) -> None:
    """Copy a key of any type with its time to live.

    COPY came with Redis 6.2, and a cluster has it within one slot only.
    """
    try:
        client.copy(source, target)
    except Exception as error:
        said = str(error).lower()
        if "unknown command" not in said and "slot" not in said:
            raise
        copy_between(client, source, client, target)


def copy_between(giver: Any, source: str, taker: Any, target: str) -> None:
    """Copy a key of any type from one server to another, with its time to live."""
    value, milliseconds = giver.dump(source), giver.pttl(source)
    # One that has expired since is not there; one with no time to live is for ever.
    if value is None or milliseconds == _NOT_THERE or taker.exists(target):
        return
    taker.restore(target, 0 if milliseconds < 0 else max(milliseconds, 1), value)


_clients: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()


def _client(cache: Any, name: str) -> Any:
    """Return a client for a key; Django makes one for each operation, which takes long.

    Connections are the pool's business, also after a fork.
    """
    factory = cache._cache  # noqa: SLF001
    client = _clients.get(factory)
    if client is None:
        client = factory.get_client(name, write=True)
        # A user's own may choose a server by the key.
        if type(factory).get_client.__module__ == RedisCacheClient.__module__:
            _clients[factory] = client
    return client


def address(url: object, number: object = None) -> str:
    """Return where a database is: host and port or socket, and its number.

    Without what two URLs of one database may differ in, like a user. ``number`` is
    that of an option, which comes before the URL's.
    """
    text = str(url)
    if "://" not in text:
        return text
    parts = urlsplit(text)
    number = database(text) if number is None else number
    if parts.scheme.startswith("unix"):
        return f"unix://{parts.path}?db={number}"
    host = parts.netloc.rpartition("@")[2].lower()
    port = "" if re.search(r":\d+$", host) else ":6379"
    return f"{parts.scheme}://{host or 'localhost'}{port}/{number}"


def database(url: object) -> str:
    """Return the number of the database that a URL names."""
    parts = urlsplit(str(url))
    in_query = parse_qs(parts.query).get("db", parse_qs(parts.query).get("database"))
    if in_query:
        return in_query[0]
    path = parts.path.strip("/")
    return path if path.isdigit() and not parts.scheme.startswith("unix") else "0"
