"""DatabaseCache: rows of one table.

What a ``TestCase`` stores is rolled back with all else; here it is only made invisible
to others. Queries of ours are not logged and not counted, so that ``assertNumQueries``
sees what it saw before, and they run on the connection as it is: what a test may not
query, we don't query either.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any

from django.core.cache.backends.db import DatabaseCache
from django.db import connections, router

from ci_cache_isolation.isolation.dialects.base import Dialect
from ci_cache_isolation.isolation.keys import maker_of

if TYPE_CHECKING:
    from ci_cache_isolation.isolation.keyspace import KeySpace
    from ci_cache_isolation.isolation.patches import Patches

__all__ = ["DatabaseDialect"]

_PARAMETERS = 500
"""How many parameters a query of ours has: SQLite took 999 before 3.32."""


class DatabaseDialect(Dialect):
    """``DatabaseCache`` and what derives from it."""

    packages = ("django",)
    key_limit = 255

    @staticmethod
    def speaks(cache_class: type) -> bool:
        """Tell whether it is Django's."""
        return issubclass(cache_class, DatabaseCache)

    def server(self, cache: Any) -> Hashable:
        """Return the database and the table."""
        alias = router.db_for_write(cache.cache_model_class)
        return alias, cache._table  # noqa: SLF001

    def location(self, cache: Any) -> str:
        """Return the table, and the database it is in now."""
        connection = _connection(cache)
        name = connection.settings_dict["NAME"]
        return f"table {cache._table} in database {name}"  # noqa: SLF001

    def connect(self, cache: Any) -> None:
        """Connect to the database that settings name."""
        _connection(cache).ensure_connection()

    def is_lasting(self, cache: Any) -> bool:
        """Tell whether the database is on a disk or a server."""
        connection = _connection(cache)
        if connection.vendor != "sqlite":
            return True
        return not connection.is_in_memory_db()

    def about(self, alias: str, cache: Any) -> Any:
        """Return what is written down: a worker's clone has a name of its own."""
        import hashlib  # noqa: PLC0415

        from ci_cache_isolation.isolation.journal import About  # noqa: PLC0415

        settings = _connection(cache).settings_dict
        server = [
            str(settings.get(name)) for name in ("ENGINE", "NAME", "HOST", "PORT")
        ]
        text = repr((server, cache._table))  # noqa: SLF001
        about = super().about(alias, cache)
        return About(
            fingerprint=hashlib.blake2b(text.encode(), digest_size=10).hexdigest(),
            alias=about.alias,
            kind=about.kind,
            location=about.location,
        )

    def patch(self, patches: Patches, cache_class: type) -> None:
        """Wrap the culling as well: it would count and delete over the whole table."""
        super().patch(patches, cache_class)
        patches.wrap(DatabaseCache, "_cull", _culling)

    def copy(self, space: KeySpace, cache: Any, source: str, target: str) -> None:  # noqa: ARG002
        """Have the database copy the row."""
        table, key, value, expires = _names(cache)
        _execute(
            cache,
            f"INSERT INTO {table} ({key}, {value}, {expires}) "  # noqa: S608
            f"SELECT %s, {value}, {expires} FROM {table} WHERE {key} = %s "
            f"AND NOT EXISTS (SELECT 1 FROM {table} WHERE {key} = %s)",
            [target, source, target],
        )

    def delete(self, cache: Any, names: list[str]) -> None:
        """Delete the rows, unless the table has gone with its test database."""
        connection = _connection(cache)
        if connection.connection is None:
            return
        table, key, *_ = _names(cache)
        for start in range(0, len(names), _PARAMETERS):
            batch = names[start : start + _PARAMETERS]
            marks = ", ".join(["%s"] * len(batch))
            _execute(cache, f"DELETE FROM {table} WHERE {key} IN ({marks})", batch)  # noqa: S608


def _culling(cull: Callable[..., None]) -> Callable[..., None]:
    """Cull what is in the section, by Django's rules."""

    @functools.wraps(cull)
    def cull_section(cache: Any, db: str, cursor: Any, now: Any, num: int) -> None:
        maker = maker_of(cache)
        section = None if maker is None else maker.space.current()
        if maker is None or section is None:
            cull(cache, db, cursor, now, num)
            return
        maker.space.copy_all(cache)
        connection = connections[db]
        table, key, _, expires = _names(cache)
        ours = f"{key} LIKE %s"
        mine = section.id + "%"
        if cache._cull_frequency == 0:  # noqa: SLF001
            # As clear() does; but the key that is about to be stored is made already.
            cursor.execute(f"DELETE FROM {table} WHERE {ours}", [mine])  # noqa: S608
            section.is_cut = True
            return
        cursor.execute(
            f"DELETE FROM {table} WHERE {expires} < %s AND {ours}",  # noqa: S608
            [connection.ops.adapt_datetimefield_value(now), mine],
        )
        cursor.execute(
            f"SELECT {key} FROM {table} WHERE {ours} ORDER BY {key}",  # noqa: S608
            [mine],
        )
        keys = [row[0] for row in cursor.fetchall()]
        if len(keys) > cache._max_entries:  # noqa: SLF001
            last = keys[len(keys) // cache._cull_frequency]  # noqa: SLF001
            cursor.execute(
                f"DELETE FROM {table} WHERE {key} < %s AND {ours}",  # noqa: S608
                [last, mine],
            )

    return cull_section


def _connection(cache: Any) -> Any:
    return connections[router.db_for_write(cache.cache_model_class)]


def _names(cache: Any) -> tuple[str, str, str, str]:
    quote_name = _connection(cache).ops.quote_name
    table = quote_name(cache._table)  # noqa: SLF001
    return table, quote_name("cache_key"), quote_name("value"), quote_name("expires")


def _execute(cache: Any, sql: str, parameters: list[str]) -> None:
    """Run a query that no log and no ``assertNumQueries`` sees."""
    connection = _connection(cache)
    if connection.connection is None:
        connection.connect()
    with (
        connection.wrap_database_errors,
        connection.make_cursor(connection.create_cursor()) as cursor,
    ):
        # Past what tests put around queries, too.
        cursor._execute(sql, parameters)  # noqa: SLF001
