"""Rows in the tables of databases, as one container: table by table.

They are read and written past Django's own way to a database, by the connection below:
a class of tests may forbid queries, and a test may count them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from django.db import connections

from ci_cache_isolation.state.comparing import MISSING, Contents
from ci_cache_isolation.state.containers import Keyed

__all__ = ["TABLES", "Rows", "Tables"]

_MOST = 10_000
"""A table with more rows is not read."""
_NO_CHECKS = {
    "mysql": "SET foreign_key_checks = 0",
    "sqlite": "PRAGMA foreign_keys = OFF",
}

TABLES: dict[str, None] = {}
"""Stands for all tables of the databases whose aliases are in it.

Nothing else is ever read or written: where no test needs a database, Django makes none,
and its connections lead to the one that people work with.
"""


class Rows(tuple[Any, ...]):
    """The rows of a table, in the sequence in which it has them."""

    __slots__ = ()


class Tables(Keyed):
    """All tables of the project's models, by ``alias:table``; of "default" by table."""

    is_special = True

    def __init__(self) -> None:
        # What each held, one of each kind.
        self._held: dict[str, list[Rows]] = defaultdict(list)

    def read(self, container: Any) -> Contents:
        """Return the names of tables that can be read, and their rows."""
        keys: list[str] = []
        values: list[Any] = []
        for alias in container:
            for table in _tables(alias):
                name = table if alias == "default" else f"{alias}:{table}"
                rows = self.get(container, name)
                if rows is not MISSING:
                    keys.append(name)
                    values.append(rows)
        return tuple(keys), tuple(values)

    def get(self, container: Any, key: Any) -> Any:
        """Return the rows of a table, `MISSING` where they can't be read."""
        alias, table = _place(key)
        if alias not in container:
            return MISSING
        # A database's library has errors of its own.
        with suppress(Exception):
            name = connections[alias].ops.quote_name(table)
            [[count]] = _asked(alias, f"SELECT COUNT(*) FROM {name}")  # noqa: S608
            if count <= _MOST:
                rows = Rows(_asked(alias, f"SELECT * FROM {name}"))  # noqa: S608
                # Equal ones are the same, so that they can be told by `is`.
                held = self._held[key]
                if rows not in held:
                    held.append(rows)
                return held[held.index(rows)]
        return MISSING

    def put(self, container: Any, key: Any, value: Any) -> None:
        """Have a table hold these rows, as far as the database lets it."""
        alias, table = _place(key)
        if value is MISSING or alias not in container:
            return
        connection: Any = connections[alias]
        name = connection.ops.quote_name(table)
        mark = "?" if connection.vendor == "sqlite" else "%s"
        with suppress(Exception):
            if no_checks := _NO_CHECKS.get(connection.vendor):
                _asked(alias, no_checks)
            _asked(alias, f"DELETE FROM {name}")  # noqa: S608
            for row in value:
                marks = ", ".join([mark] * len(row))
                _asked(alias, f"INSERT INTO {name} VALUES ({marks})", row)  # noqa: S608


def _place(key: str) -> tuple[str, str]:
    alias, colon, table = key.partition(":")
    return (alias, table) if colon else ("default", key)


def _tables(alias: str) -> Iterator[str]:
    with suppress(Exception):
        yield from sorted(
            connections[alias].introspection.django_table_names(include_views=False)
        )


def _asked(alias: str, statement: str, values: Any = ()) -> list[Any]:
    """Return what a statement comes to, sent by the connection below Django's."""
    connection: Any = connections[alias]
    if connection.connection is None:
        # Not by way of the object: there a class of tests may forbid it.
        type(connection).connect(connection)
    cursor = connection.connection.cursor()
    try:
        cursor.execute(statement, values)
        return list(cursor.fetchall()) if cursor.description else []
    finally:
        cursor.close()
