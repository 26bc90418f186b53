"""What every kind of store can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

__all__ = ["Lifted", "Store"]

Lifted = Any
"""What `Store.lift` hands to `Store.lower`: the store's own business."""


class Store(ABC):
    """Sections of all caches of one kind in this process, as a stack.

    `begin` opens a section inside the innermost one, `end` closes it and undoes what
    was done in it. Both are called for every test: a store that is empty must
    cost next to nothing, and may not open a cache that nobody has opened.
    """

    name: ClassVar[str]
    has_sections: ClassVar[bool] = True

    @staticmethod
    @abstractmethod
    def handles(cache_class: type) -> bool:
        """Tell whether caches of this class are of this kind."""

    def adopt(self, cache: object) -> bool:  # noqa: ARG002
        """Take notice of an open cache; tell whether it is in the store's hands."""
        return True

    @abstractmethod
    def begin(self) -> None:
        """Open a section: it holds what the enclosing section holds."""

    @abstractmethod
    def end(self) -> None:
        """Close the innermost section: what was done in it is undone."""

    @abstractmethod
    def lift(self, depth: int) -> Lifted:
        """Set aside all but the ``depth`` outermost sections, until `lower`."""

    @abstractmethod
    def lower(self, lifted: Lifted) -> None:
        """Bring back what `lift` set aside, with what was done since in all of it."""
