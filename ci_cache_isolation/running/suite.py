"""A test as its runner sees it, for whoever puts tests in an order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

__all__ = ["SuiteTest"]


@dataclass(frozen=True, slots=True)
class SuiteTest:
    """A test by its runner's own id, and the groups that the runner keeps together.

    ``groups`` goes from the outermost (a module) to the innermost (a class). ``rank``
    is the kind: the runner puts all of a lower rank before all of a higher one. Django
    knows 0 for TestCase, 1 for SimpleTestCase and its kinds, 2 for the rest, unless a
    runner says something else; pytest-django has kinds of its own.
    """

    id: str
    groups: tuple[str, ...] = ()
    rank: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return it as it is told."""
        return asdict(self)

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Self:
        """Return the test that was told."""
        return cls(told["id"], tuple(told["groups"]), told["rank"])
