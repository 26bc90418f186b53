"""What was noted in a transaction is undone when that is rolled back.

Rows go with their transaction, so what is known of them has to as well. Django does
not tell of a rollback. So what is noted is kept in order, with the place at which each
savepoint was made: to roll back to it undoes what was noted later, as the database
undoes what was done later.

Methods are replaced on the connection, and only while something can be undone: others
pay nothing for it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

__all__ = ["is_in_transaction", "on_rollback"]

_NOTED = "_ci_cache_isolation_noted"
_ABSENT = object()


def is_in_transaction(connection: Any) -> bool:
    """Return whether what is done on a connection can still be rolled back."""
    if connection.connection is None or connection.autocommit:
        return False
    # Known where Django has tried it: before the first of its test cases.
    return bool(vars(connection.features).get("supports_transactions", True))


def on_rollback(connection: Any, undo: Callable[[], None]) -> None:
    """Have something called if what is done now on a connection is rolled back."""
    if is_in_transaction(connection):
        noted: Noted | None = vars(connection).get(_NOTED)
        if noted is None:
            noted = Noted(connection)
        noted.undoing.append(undo)


class Noted:
    """What is to be undone if the transaction of a connection is rolled back."""

    def __init__(self, connection: Any) -> None:
        self.undoing: list[Callable[[], None]] = []
        self._connection = connection
        # How much had been noted when a savepoint was made, by its id.
        self._places: dict[str, int] = {}
        state = vars(connection)
        state[_NOTED] = self
        self._replaced: dict[str, tuple[object, object]] = {}
        for name, replacement in (
            ("savepoint", self._make_savepoint),
            ("savepoint_rollback", self._roll_back_to),
            ("rollback", self._roll_back),
            ("close", self._close),
            ("commit", self._commit),
        ):
            calling = functools.partial(replacement, getattr(connection, name))
            self._replaced[name] = state.get(name, _ABSENT), calling
            state[name] = calling

    def _undo(self, place: int = 0) -> None:
        """Undo what was noted from a place on, the last first."""
        undoing = self.undoing[place:]
        del self.undoing[place:]
        for undo in reversed(undoing):
            undo()

    def _leave(self) -> None:
        """Put the connection's methods back, but for what others have replaced since.

        Theirs may call ours, which then has nothing to undo.
        """
        self.undoing.clear()
        state = vars(self._connection)
        state.pop(_NOTED, None)
        for name, (before, calling) in self._replaced.items():
            if state.get(name) is calling:
                del state[name]
                if before is not _ABSENT:
                    state[name] = before

    def _make_savepoint(self, savepoint: Callable[[], Any]) -> Any:
        sid = savepoint()
        if sid is not None:
            self._places[sid] = len(self.undoing)
        return sid

    def _roll_back_to(self, savepoint_rollback: Callable[[str], Any], sid: str) -> Any:
        result = savepoint_rollback(sid)
        # One of which nothing is known was made before anything was noted.
        self._undo(self._places.get(sid, 0))
        return result

    def _roll_back(self, rollback: Callable[[], Any]) -> Any:
        result = rollback()
        self._undo()
        self._leave()
        return result

    def _close(self, close: Callable[[], Any]) -> Any:
        result = close()
        # That of a database in memory does nothing.
        if (
            self._connection.connection is None
            or self._connection.closed_in_transaction
        ):
            self._undo()
            self._leave()
        return result

    def _commit(self, commit: Callable[[], Any]) -> Any:
        result = commit()
        self._leave()
        return result
