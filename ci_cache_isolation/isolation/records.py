"""Records that cost next to nothing where they are defined.

Every run imports the modules that switch isolation on. There the class of a named
tuple takes as long as isolating fifty tests, and a dataclass takes longer still.
"""

from __future__ import annotations

from typing import dataclass_transform

__all__ = ["Record"]


@dataclass_transform(frozen_default=True)
class Record:
    """Fields by name, in the order of their annotations; nobody changes one."""

    def __init__(self, *values: object, **named: object) -> None:
        fields = type(self).__annotations__
        if len(values) > len(fields) or not named.keys() <= fields.keys():
            raise TypeError(f"{type(self).__name__} has the fields {', '.join(fields)}")
        self.__dict__.update(zip(fields, values, strict=False), **named)
        # A field that is not given is the class's, its default.
        if missing := [name for name in fields if not hasattr(self, name)]:
            raise TypeError(f"{type(self).__name__} lacks {', '.join(missing)}")

    def _values(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in type(self).__annotations__)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._values() == other._values()

    def __hash__(self) -> int:
        return hash((type(self), self._values()))

    def __repr__(self) -> str:
        fields = zip(type(self).__annotations__, self._values(), strict=True)
        shown = ", ".join(f"{name}={value!r}" for name, value in fields)
        return f"{type(self).__name__}({shown})"
