"""Finds out whether a fork changes a database in a way that no rollback undoes.

A `TestCase` rolls back all that it does; then the next fork can work in the same clone.
Numbers that a sequence has given away are not rolled back, except in SQLite.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from ci_cache_isolation.isolation.patches import Patches

__all__ = ["Watch", "is_lasting"]

_CHANGES_NOTHING = re.compile(r"\s*(?:BEGIN|SELECT)\b", re.IGNORECASE)
_IS_ROLLED_BACK = re.compile(
    r"\s*(?:SELECT|UPDATE|DELETE|SAVEPOINT|RELEASE|ROLLBACK|SET|DECLARE|FETCH|CLOSE)\b",
    re.IGNORECASE,
)
# MySQL's backend begins a connection with them.
_IS_OF_SESSION = re.compile(
    r"(?:\s*SET (?:SESSION|SQL_AUTO_IS_NULL)\b[^;]*(?:;|\Z))+\Z", re.IGNORECASE
)
_SEQUENCE = re.compile(r"\b(?:nextval|setval)\b", re.IGNORECASE)
# They go past `execute`, to the cursor of the database's own library.
_OWN = ("copy", "copy_expert", "copy_from", "executescript")


def is_lasting(statement: str, vendor: str, *, is_in_transaction: bool) -> bool:
    """Return whether a statement may change what a rollback does not put back.

    What is not known to be harmless may.
    """
    if vendor == "sqlite":
        return not is_in_transaction and not _CHANGES_NOTHING.match(statement)
    if not is_in_transaction:
        begins = re.match(r"\s*BEGIN\b", statement, re.IGNORECASE)
        return not begins and not _IS_OF_SESSION.match(statement)
    return not _IS_ROLLED_BACK.match(statement) or bool(_SEQUENCE.search(statement))


class Watch:
    """Has ``tell(alias)`` called before a database is first changed lastingly.

    The classes are wrapped, and not objects: each thread has connections of its own.
    It is for a process that ends with its tests, so nothing is put back.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._told: set[str] = set()
        patches = Patches()
        for name in ("_execute", "_executemany"):
            patches.wrap(CursorWrapper, name, self._noting_if_lasting)
        patches.wrap(CursorWrapper, "callproc", self._noting)
        patches.wrap(BaseDatabaseWrapper, "_commit", self._noting)
        for name in _OWN:
            patches.put(CursorWrapper, name, self._own(name))

    def _note(self, connection: Any) -> None:
        if connection.alias not in self._told:
            self._told.add(connection.alias)
            self._tell(connection.alias)

    def _noting(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def noted(owner: Any, *args: Any, **kwargs: Any) -> Any:
            self._note(owner.db if isinstance(owner, CursorWrapper) else owner)
            return call(owner, *args, **kwargs)

        return noted

    def _noting_if_lasting(self, execute: Callable[..., Any]) -> Callable[..., Any]:
        def noted(cursor: Any, sql: Any, *args: Any) -> Any:
            connection = cursor.db
            if connection.alias not in self._told and is_lasting(
                # psycopg has statements that are objects, and are not looked into.
                sql if isinstance(sql, str) else "?",
                connection.vendor,
                is_in_transaction=not connection.autocommit,
            ):
                self._note(connection)
            return execute(cursor, sql, *args)

        return noted

    def _own(self, name: str) -> property:
        def get(cursor: Any) -> Any:
            self._note(cursor.db)
            return getattr(cursor.cursor, name)

        return property(get)
