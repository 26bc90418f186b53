"""Exact count of the ordered pairs of tests that a set of orders has shown. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["PairCount", "Pairs"]


@dataclass(frozen=True, slots=True)
class PairCount:
    """How many ordered pairs there are, ran in that order, ran as neighbours.

    ``unreachable`` is None as long as forward and reverse have not both run: what these
    two leave out is what the runner never puts in that order.
    """

    total: int
    covered: int
    adjacent: int
    unreachable: int | None


class Pairs:
    """One big integer a test: bit u of ``before[v]`` says that u ran before v."""

    def __init__(self, tests: Sequence[str]) -> None:
        self._bit = {test: 1 << place for place, test in enumerate(tests)}
        self._before = dict.fromkeys(tests, 0)
        self._next_before = dict.fromkeys(tests, 0)

    def add(self, order: Sequence[str]) -> None:
        """Count an order that was run in one process; unknown tests are passed over."""
        seen = previous = 0
        for test in order:
            if test not in self._bit:
                continue
            self._before[test] |= seen & ~self._bit[test]
            self._next_before[test] |= previous & ~self._bit[test]
            previous = self._bit[test]
            seen |= previous

    def count(self, *, both_ways: bool) -> PairCount:
        """Return the figures; ``both_ways``: an order and its reverse were added."""
        tests = len(self._bit)
        total = tests * (tests - 1)
        covered = sum(bits.bit_count() for bits in self._before.values())
        adjacent = sum(bits.bit_count() for bits in self._next_before.values())
        return PairCount(
            total, covered, adjacent, total - covered if both_ways else None
        )
