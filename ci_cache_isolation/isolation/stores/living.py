"""Dictionaries in which a subclass of LocMemCache keeps what is not pickled.

Its lists, sets and counters change in place, so a copy of the dictionary would change
with them.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, MutableMapping
from typing import Any

__all__ = ["Living", "Still"]


class Living(MutableMapping[Any, Any]):
    """A dictionary whose values change in place, seen as values that can't.

    A value that is put back is the same object, unless it was changed meanwhile.
    """

    __slots__ = ("_held",)

    def __init__(self, held: dict[Any, Any]) -> None:
        self._held = held

    def __getitem__(self, key: Any) -> Still:
        return Still(self._held[key])

    def __setitem__(self, key: Any, value: Still) -> None:
        self._held[key] = value.thawed()

    def __delitem__(self, key: Any) -> None:
        del self._held[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)

    def clear(self) -> None:
        """Drop all entries."""
        self._held.clear()


class Still:
    """A value as it was. One that can't be pickled is the object itself."""

    __slots__ = ("_pickled", "_value")

    def __init__(self, value: object) -> None:
        self._value = value
        self._pickled = _pickled(value)

    def thawed(self) -> object:
        """Return the value, or one like it if it has changed since."""
        if self._pickled is None or _pickled(self._value) == self._pickled:
            return self._value
        return pickle.loads(self._pickled)  # noqa: S301 - it never left the process

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Still):
            return NotImplemented
        if self._pickled is None:
            return self._value is other._value
        return self._pickled == other._pickled

    __hash__ = None  # type: ignore[assignment]


def _pickled(value: object) -> bytes | None:
    try:
        return pickle.dumps(value)
    except Exception:  # noqa: BLE001 - whatever somebody's __reduce__ raises
        return None
