"""django-mysql's MySQLCache: a table like DatabaseCache's, with extras of its own."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ci_cache_isolation.isolation.dialects.database import (
    DatabaseDialect,
    connection_of,
    count_rows,
)
from ci_cache_isolation.isolation.keys import maker_of

if TYPE_CHECKING:
    from ci_cache_isolation.isolation.patches import Patches

__all__ = ["MySQLCacheDialect"]

_BACKEND = "django_mysql.cache.MySQLCache"
_PATTERNS = ("keys_with_prefix", "get_with_prefix", "delete_with_prefix")


class MySQLCacheDialect(DatabaseDialect):
    """``django_mysql.cache.MySQLCache`` and what derives from it."""

    packages = ("django_mysql",)
    key_limit = 250
    copied = ("value", "value_type", "expires")

    @staticmethod
    def speaks(cache_class: type) -> bool:
        """Return whether the backend is among a class's base classes."""
        names = [f"{each.__module__}.{each.__name__}" for each in cache_class.__mro__]
        return _BACKEND in names

    def patch_culling(self, patches: Patches, cache_class: type) -> None:
        """Have it cull what is in the section, and search what enclosing ones hold."""
        owners = cache_class.__mro__
        self.wrap_all(patches, owners, ("cull",), _culling)
        self.wrap_all(patches, owners, _PATTERNS, self.seeing_all)


def _culling(cull: Callable[..., int]) -> Callable[..., int]:
    """Cull by the backend's own rules. It throws dice for when."""

    @functools.wraps(cull)
    def cull_section(cache: Any) -> int:
        maker = maker_of(cache)
        section = None if maker is None else maker.space.current()
        if maker is None or section is None:
            return cull(cache)
        most, frequency = cache._max_entries, cache._cull_frequency  # noqa: SLF001
        connection = connection_of(cache)
        table = connection.ops.quote_name(cache._table)  # noqa: SLF001
        mine = section.id + "%"
        with connection.cursor() as cursor:
            deleted = cursor.execute(
                f"DELETE FROM {table} WHERE expires < %s AND cache_key LIKE %s",  # noqa: S608
                (cache._now(), mine),  # noqa: SLF001
            )
            if most == -1:
                return 0
            maker.space.copy_all(cache)
            there = count_rows(cache, section)
            if there < most:
                return int(deleted)
            if frequency == 0:
                deleted += cursor.execute(
                    f"DELETE FROM {table} WHERE cache_key LIKE %s",  # noqa: S608
                    (mine,),
                )
                return int(deleted)
            cursor.execute(
                f"SELECT cache_key FROM {table} WHERE cache_key LIKE %s "  # noqa: S608
                "ORDER BY cache_key LIMIT 1 OFFSET %s",
                (mine, there // frequency),
            )
            deleted += cursor.execute(
                f"DELETE FROM {table} WHERE cache_key < %s AND cache_key LIKE %s",  # noqa: S608
                (cursor.fetchone()[0], mine),
            )
            return int(deleted)

    return cull_section
