"""What every kind of store can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar

__all__ = ["Store", "Suspended"]

Suspended = Any
"""What `Store.suspend` hands to `Store.resume`: the store's own business."""


class Store(ABC):
    """Sections of all caches of one kind in this process, as a stack.

    `begin` opens a section inside the innermost one, `end` closes it and undoes what
    was done in it. Both are called for every test: a store that is empty must
    cost next to nothing, and may not open a cache that nobody has opened.
    """

    names: ClassVar[tuple[str, ...]]
    """What the store is called in options, a name for each of its kinds."""
    has_sections: ClassVar[bool] = True
    registered: tuple[str, ...] | None = None
    """The names of places in its hands, where it is for those that options name."""
    command: str = ""
    """What starts a server, where the store starts any; empty to look for one."""

    @staticmethod
    def can_serve(cache_class: type) -> bool:  # noqa: ARG004
        """Return whether caches of a class can be in this store's hands at all."""
        return True

    @staticmethod
    def place_of(alias: str, cache: Any) -> str:  # noqa: ARG004
        """Return the same text for caches of this store that share their entries."""
        return alias

    def prepare(self, cache_class: type) -> None:
        """Take notice of a class of which a cache is about to be opened."""

    @abstractmethod
    def adopt(self, alias: str, cache: object) -> bool:
        """Take an open cache into the store's hands; False where that can't be."""

    def activate(self) -> None:
        """Take notice that tests are going to run in this process."""

    def deactivate(self) -> None:
        """Put back what was changed in other people's classes."""

    @abstractmethod
    def begin(self, number: int = 0, *, is_raw: bool = False) -> None:
        """Open a section: it holds what the enclosing section holds.

        ``is_raw`` asks for plain keys, where they would be changed.
        """

    @abstractmethod
    def end(self) -> None:
        """Close the innermost section: what was done in it is undone."""

    def follow(self, number: int = 0, *, is_raw: bool = False) -> None:
        """Close the innermost section and open one beside it, as for the next test."""
        self.end()
        self.begin(number, is_raw=is_raw)

    @abstractmethod
    def suspend(self, depth: int) -> Suspended:
        """Set aside all but the ``depth`` outermost sections, until `resume`."""

    @abstractmethod
    def resume(self, suspended: Suspended) -> None:
        """Bring back what was set aside, with what was done since in all of it."""

    def tidy(self) -> None:
        """Delete what ended sections have left somewhere."""

    def finish(self) -> None:
        """Tidy up for the last time: the process leaves without its exit handlers."""

    def share(self) -> AbstractContextManager[None]:
        """Let processes that are started meanwhile work in the sections in use."""
        return nullcontext()

    @abstractmethod
    def section_id(self, alias: str, number: int) -> str | None:
        """Return the id of an alias's section in use; None where keys are plain."""
