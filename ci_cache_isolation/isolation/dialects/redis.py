"""Django's own backend for Redis and Valkey."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

from ci_cache_isolation.isolation.dialects.base import Dialect

if TYPE_CHECKING:
    from ci_cache_isolation.isolation.keyspace import KeySpace

__all__ = ["RedisDialect", "copy_between", "copy_on_server"]


class RedisDialect(Dialect):
    """``django.core.cache.backends.redis.RedisCache`` and what derives from it."""

    packages = ("django",)
    cleared = True

    @staticmethod
    def speaks(cache_class: type) -> bool:
        """Tell whether Django's class is among its base classes."""
        names = [f"{each.__module__}.{each.__name__}" for each in cache_class.__mro__]
        return "django.core.cache.backends.redis.RedisCache" in names

    def server(self, cache: Any) -> Hashable:
        """Return its URLs, and the number of its database where it is an option."""
        return _addresses(cache._servers), cache._options.get("db")  # noqa: SLF001

    def location(self, cache: Any) -> str:
        """Return its URLs."""
        from ci_cache_isolation.isolation.redaction import redacted  # noqa: PLC0415

        return redacted(cache._servers)  # noqa: SLF001

    def copy(self, space: KeySpace, cache: Any, source: str, target: str) -> None:  # noqa: ARG002
        """Have the server copy it, with the time that it has left."""
        copy_on_server(_client(cache, target), source, target)

    def delete(self, cache: Any, names: list[str]) -> None:
        """Have the server drop them, in one command."""
        _client(cache, names[0]).unlink(*names)


def copy_on_server(client: Any, source: str, target: str) -> None:
    """Copy a key of any type with its time to live; COPY came with Redis 6.2."""
    try:
        client.copy(source, target)
    except Exception as error:
        if "unknown command" not in str(error).lower():
            raise
        copy_between(client, source, client, target)


def copy_between(giver: Any, source: str, taker: Any, target: str) -> None:
    """Copy a key of any type from one server to another, with its time to live."""
    value, milliseconds = giver.dump(source), giver.pttl(source)
    if value is not None and not taker.exists(target):
        taker.restore(target, max(milliseconds, 0), value)


def _client(cache: Any, name: str) -> Any:
    return cache._cache.get_client(name, write=True)  # noqa: SLF001


def _addresses(servers: Any) -> tuple[str, ...]:
    return tuple(map(str, servers))
