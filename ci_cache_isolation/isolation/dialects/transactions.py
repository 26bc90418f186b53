"""What was noted in a transaction is undone when that is rolled back.

Rows go with their transaction, so what is known of them has to as well. Django does
not tell of a rollback. So what is noted is kept in order, for each connection, with
the place at which each savepoint was made: to roll back to it undoes what was noted
later, as the database undoes what was done later.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.db.backends.base.base import BaseDatabaseWrapper

if TYPE_CHECKING:
    from ci_cache_isolation.isolation.patches import Patches

__all__ = ["is_in_transaction", "on_rollback", "watch_transactions"]


class Noted:
    """What is to be undone if the transaction of a connection is rolled back."""

    __slots__ = ("places", "undoing")

    def __init__(self) -> None:
        self.undoing: list[Callable[[], None]] = []
        # How much had been noted when a savepoint was made, by its id.
        self.places: dict[str, int] = {}

    def undo(self, place: int = 0) -> None:
        """Undo what was noted from a place on, the last first."""
        undoing = self.undoing[place:]
        del self.undoing[place:]
        for undo in reversed(undoing):
            undo()

    def forget(self) -> None:
        """Take note that the transaction has ended."""
        self.undoing.clear()
        self.places.clear()


_noted: weakref.WeakKeyDictionary[BaseDatabaseWrapper, Noted] = (
    weakref.WeakKeyDictionary()
)


def is_in_transaction(connection: Any) -> bool:
    """Return whether what is done on a connection can still be rolled back."""
    if connection.connection is None or connection.autocommit:
        return False
    # Known where Django has tried it: before the first of its test cases.
    return bool(vars(connection.features).get("supports_transactions", True))


def on_rollback(connection: Any, undo: Callable[[], None]) -> None:
    """Have something called if what is done now on a connection is rolled back."""
    if is_in_transaction(connection):
        _noted.setdefault(connection, Noted()).undoing.append(undo)


def watch_transactions(patches: Patches) -> None:
    """Wrap all that ends a transaction, or a part of one."""
    for name, wrapping in (
        ("savepoint", _making),
        ("savepoint_rollback", _rolling_back_to),
        ("rollback", _rolling_back),
        ("close", _rolling_back),
        ("commit", _committing),
    ):
        patches.wrap(BaseDatabaseWrapper, name, wrapping)


def _making(savepoint: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(savepoint)
    def make_savepoint(connection: BaseDatabaseWrapper) -> Any:
        sid = savepoint(connection)
        if sid is not None and connection in _noted:
            noted = _noted[connection]
            noted.places[sid] = len(noted.undoing)
        return sid

    return make_savepoint


def _rolling_back_to(savepoint_rollback: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(savepoint_rollback)
    def roll_back_to(connection: BaseDatabaseWrapper, sid: str) -> Any:
        result = savepoint_rollback(connection, sid)
        if connection in _noted:
            # One of which nothing is known was made before anything was noted.
            noted = _noted[connection]
            noted.undo(noted.places.get(sid, 0))
        return result

    return roll_back_to


def _rolling_back(ending: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(ending)
    def roll_back(connection: BaseDatabaseWrapper) -> Any:
        result = ending(connection)
        if connection in _noted:
            noted = _noted[connection]
            noted.undo()
            noted.forget()
        return result

    return roll_back


def _committing(commit: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(commit)
    def commit_and_forget(connection: BaseDatabaseWrapper) -> Any:
        result = commit(connection)
        if connection in _noted:
            _noted[connection].forget()
        return result

    return commit_and_forget
