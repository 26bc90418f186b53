"""DatabaseCache: rows of one table.

What a ``TestCase`` stores is rolled back with all else; here it is only made invisible
to others. Queries of ours are not logged and not counted, so that ``assertNumQueries``
sees what it saw before, and they run on the connection as it is: what a test may not
query, we don't query either.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from django.core.cache.backends.db import DatabaseCache
from django.db import DatabaseError, connections, router
from django.db.models.constants import OnConflict

from ci_cache_isolation.isolation.clocks import Expiries
from ci_cache_isolation.isolation.dialects.base import Dialect
from ci_cache_isolation.isolation.dialects.transactions import (
    is_in_transaction,
    on_rollback,
)
from ci_cache_isolation.isolation.journal import About
from ci_cache_isolation.isolation.keys import maker_of

if TYPE_CHECKING:
    from ci_cache_isolation.isolation.patches import Patches
    from ci_cache_isolation.isolation.sections import Section

__all__ = ["IS_DROPPED", "DatabaseDialect", "connection_of", "count_rows"]

IS_DROPPED = "ci_cache_isolation_is_dropped"
"""Among a connection's settings: the database is dropped soon, whatever is in it."""

# What `SimpleTestCase` puts in the place of methods that a test may not call.
_FORBIDDEN = "_DatabaseFailure"
# Where a query that fails does not abort the transaction that it is in.
_FAILING_ALONE = frozenset({"sqlite", "mysql", "oracle"})
_ENSURING = "ensure_connection"
_SAVEPOINT = "ci_cache_isolation"
_PARAMETERS = 500
"""How many parameters a query of ours has: SQLite took 999 before 3.32."""


class DatabaseDialect(Dialect):
    """``DatabaseCache`` and what derives from it."""

    packages = ("django",)
    key_limit = 255
    copied: ClassVar[tuple[str, ...]] = ("value", "expires")
    """The columns of an entry, but for its key."""

    @staticmethod
    def speaks(cache_class: type) -> bool:
        """Return whether it is Django's."""
        return issubclass(cache_class, DatabaseCache)

    def server(self, cache: Any) -> Hashable:
        """Return the database and the table."""
        alias = router.db_for_write(cache.cache_model_class)
        return alias, cache._table  # noqa: SLF001

    def location(self, cache: Any) -> str:
        """Return the table, and the database it is in now."""
        connection = connection_of(cache)
        name = connection.settings_dict["NAME"]
        return f"table {cache._table} in database {name}"  # noqa: SLF001

    def connect(self, cache: Any) -> None:
        """Connect to the database that settings name."""
        connection_of(cache).ensure_connection()

    def may_ask(self, cache: Any) -> bool:
        """Return whether the test may query: Django and pytest-django may forbid it.

        Where there is no connection to be had, the operation itself says why.
        """
        connection = connection_of(cache)
        if type(connection.cursor).__name__ == _FORBIDDEN:
            return False
        if connection.in_atomic_block and connection.needs_rollback:
            return False
        try:
            connection.ensure_connection()
        except Exception:  # noqa: BLE001
            return False
        return True

    def is_in_transaction(self, cache: Any) -> bool:
        """Return whether what is done now can still be rolled back."""
        return is_in_transaction(connection_of(cache))

    def on_rollback(self, cache: Any, undo: Callable[[], None]) -> None:
        """Have something called if what is done now is rolled back."""
        on_rollback(connection_of(cache), undo)

    def is_gone(self, cache: Any, about: About) -> bool:
        """Return whether the test database has been left, and most likely destroyed."""
        return self.about(about.alias, cache).fingerprint != about.fingerprint

    def is_lasting(self, cache: Any) -> bool:
        """Return whether the database is on a disk or a server."""
        connection = connection_of(cache)
        if connection.settings_dict.get(IS_DROPPED):
            return False
        if connection.vendor != "sqlite":
            return True
        return not connection.is_in_memory_db()

    def about(self, alias: str, cache: Any) -> About:
        """Return what is recorded: a worker's clone has a name of its own."""
        settings = connection_of(cache).settings_dict
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
        self.patch_culling(patches, cache_class)

    def patch_culling(self, patches: Patches, cache_class: type) -> None:  # noqa: ARG002
        """Have it cull what is in the section."""
        patches.wrap(DatabaseCache, "_cull", _culling)

    def copy(self, cache: Any, source: str, target: str, expiries: Expiries) -> None:  # noqa: ARG002
        """Have the database copy the row."""
        table, key, *_ = _names(cache)
        connection = connection_of(cache)
        copied = ", ".join(map(connection.ops.quote_name, self.copied))
        insert, otherwise = "INSERT INTO", ""
        if connection.features.supports_ignore_conflicts:
            # Another process may be there at the same moment.
            conflict = OnConflict.IGNORE
            insert = connection.ops.insert_statement(on_conflict=conflict)
            otherwise = connection.ops.on_conflict_suffix_sql([], conflict, [], [])
        _execute_apart(
            cache,
            f"{insert} {table} ({key}, {copied}) "  # noqa: S608
            f"SELECT %s, {copied} FROM {table} WHERE {key} = %s "
            f"AND NOT EXISTS (SELECT 1 FROM {table} WHERE {key} = %s) {otherwise}",
            [target, source, target],
        )

    def state(self, cache: Any, full: str, expiries: Expiries) -> object:  # noqa: ARG002
        """Return the row."""
        table, key, value, expires = _names(cache)
        sql = f"SELECT {value}, {expires} FROM {table} WHERE {key} = %s"  # noqa: S608
        return _execute(cache, sql, [full])

    def delete(self, cache: Any, names: list[str]) -> None:
        """Delete the rows. Django closes connections behind tests; so do we."""
        connection = connection_of(cache)
        if connection.connection is None:
            if not self.is_lasting(cache):
                return
            with _connected(connection):
                self._delete(cache, names)
        else:
            self._delete(cache, names)

    def _delete(self, cache: Any, names: list[str]) -> None:
        table, key, *_ = _names(cache)
        for start in range(0, len(names), _PARAMETERS):
            batch = names[start : start + _PARAMETERS]
            marks = ", ".join(["%s"] * len(batch))
            query = f"DELETE FROM {table} WHERE {key} IN ({marks})"  # noqa: S608
            try:
                _execute_apart(cache, query, batch)
            except DatabaseError:
                # A test that made the table may have dropped it, rows and all.
                connection = connection_of(cache)
                with connection.make_cursor(connection.create_cursor()) as cursor:
                    tables = connection.introspection.table_names(cursor)
                if cache._table in tables:  # noqa: SLF001
                    raise
                return


@contextmanager
def _connected(connection: Any) -> Iterator[None]:
    """Connect, past what keeps tests from the database: no test is running.

    Django replaces ``connect`` on the object, and pytest-django ``ensure_connection``
    on its class, which ``connect`` calls in its turn once there is a connection.
    """
    state = vars(connection)
    before = state.get(_ENSURING)
    state[_ENSURING] = lambda: None
    try:
        type(connection).connect(connection)
        yield
    finally:
        if before is None:
            del state[_ENSURING]
        else:
            state[_ENSURING] = before
        connection.close()


def _culling(cull: Callable[..., None]) -> Callable[..., None]:
    """Cull what is in the section, by Django's rules."""

    @functools.wraps(cull)
    def cull_section(cache: Any, db: str, cursor: Any, now: Any, num: int) -> None:
        maker = maker_of(cache)
        section = None if maker is None else maker.space.current()
        if maker is None or section is None:
            cull(cache, db, cursor, now, num)
            return
        # The others' rows were counted too. All that is not asked for by Django's own
        # culling is asked past what counts queries.
        most = cache._max_entries  # noqa: SLF001
        seen = {name for each in maker.space.outward(section) for name in each.stored()}
        if count_rows(cache, section) + len(seen - section.touched.keys()) <= most:
            return
        maker.space.copy_all(cache)
        if count_rows(cache, section) <= most:
            return
        connection = connections[db]
        table, key, _, expires = _names(cache)
        ours = f"{key} LIKE %s"
        mine = section.id + "%"
        if cache._cull_frequency == 0:  # noqa: SLF001
            # As clear() does; but the key that is about to be stored is made already.
            cursor.execute(f"DELETE FROM {table} WHERE {ours}", [mine])  # noqa: S608
            maker.space.note_clearing(section)
            maker.space.cut(section, cache)
            return
        cursor.execute(
            f"DELETE FROM {table} WHERE {expires} < %s AND {ours}",  # noqa: S608
            [connection.ops.adapt_datetimefield_value(now), mine],
        )
        left = count_rows(cache, section)
        if left > most:
            cursor.execute(
                f"SELECT {key} FROM {table} WHERE {ours} ORDER BY {key}",  # noqa: S608
                [mine],
            )
            keys = [row[0] for row in cursor.fetchall()]
            for last in keys[left // cache._cull_frequency :][:1]:  # noqa: SLF001
                cursor.execute(
                    f"DELETE FROM {table} WHERE {key} < %s AND {ours}",  # noqa: S608
                    [last, mine],
                )

    return cull_section


def count_rows(cache: Any, section: Section) -> int:
    """Return how many rows a section has, expired ones included."""
    table, key, *_ = _names(cache)
    sql = f"SELECT COUNT(*) FROM {table} WHERE {key} LIKE %s"  # noqa: S608
    ((count,),) = _execute(cache, sql, [section.id + "%"])
    return int(count)


def connection_of(cache: Any) -> Any:
    """Return this thread's connection to the database that a cache writes to."""
    return connections[router.db_for_write(cache.cache_model_class)]


def _names(cache: Any) -> tuple[str, str, str, str]:
    quote_name = connection_of(cache).ops.quote_name
    table = quote_name(cache._table)  # noqa: SLF001
    return table, quote_name("cache_key"), quote_name("value"), quote_name("expires")


def _execute_apart(cache: Any, sql: str, parameters: list[str]) -> None:
    """Run a query whose failure leaves the transaction that it is in as it was."""
    connection = connection_of(cache)
    if connection.vendor in _FAILING_ALONE or not is_in_transaction(connection):
        _execute(cache, sql, parameters)
        return
    _execute(cache, connection.ops.savepoint_create_sql(_SAVEPOINT))
    try:
        _execute(cache, sql, parameters)
    except DatabaseError:
        _execute(cache, connection.ops.savepoint_rollback_sql(_SAVEPOINT))
        raise
    finally:
        _execute(cache, connection.ops.savepoint_commit_sql(_SAVEPOINT))


def _execute(cache: Any, sql: str, parameters: list[str] | None = None) -> list[Any]:
    """Run a query that no log and no ``assertNumQueries`` sees; return its rows."""
    connection = connection_of(cache)
    with (
        connection.wrap_database_errors,
        connection.make_cursor(connection.create_cursor()) as cursor,
    ):
        # Past what tests put around queries, too.
        cursor._execute(sql, parameters)  # noqa: SLF001
        return [] if cursor.description is None else list(cursor.fetchall())
