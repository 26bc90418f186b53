"""One module per family of backends whose entries live on a server.

A family is chosen from the backend's class. What no family knows and yet makes its
keys by a ``key_func`` is handled with the methods that all caches have. A new family is
a new module here and its class in `DIALECTS`.
"""

from __future__ import annotations

from ci_cache_isolation.isolation.dialects.base import Dialect
from ci_cache_isolation.isolation.dialects.database import DatabaseDialect
from ci_cache_isolation.isolation.dialects.django_mysql import MySQLCacheDialect
from ci_cache_isolation.isolation.dialects.django_redis import DjangoRedisDialect
from ci_cache_isolation.isolation.dialects.django_valkey import DjangoValkeyDialect
from ci_cache_isolation.isolation.dialects.generic import GenericDialect
from ci_cache_isolation.isolation.dialects.memcached import MemcachedDialect
from ci_cache_isolation.isolation.dialects.redis import RedisDialect

__all__ = ["DIALECTS", "Dialect", "dialect_of"]

DIALECTS: list[type[Dialect]] = [
    RedisDialect,
    DjangoRedisDialect,
    DjangoValkeyDialect,
    MemcachedDialect,
    DatabaseDialect,
    MySQLCacheDialect,
    GenericDialect,
]
"""In the sequence in which they are asked: the last takes what is left."""
_made: dict[type[Dialect], Dialect] = {}


def dialect_of(cache_class: type) -> Dialect | None:
    """Return how caches of a class are handled, None where they can't be."""
    for kind in DIALECTS:
        if kind.speaks(cache_class):
            return _made.setdefault(kind, kind())
    return None
