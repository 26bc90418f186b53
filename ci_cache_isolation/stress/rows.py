"""Rows: few orders in which everything comes next to everything. Pure.

Williams' rows: 0, n-1, 1, n-2, … and its shifts modulo n, for an even n, put every two
of n things next to each other, both ways round, once. For an odd n they are those of
n + 1, without the one that isn't there. Tests of a class are put into rows, and classes
of a module, and modules, all in step: as many rows as the largest group needs cover the
neighbours in all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from ci_cache_isolation.stress.orders import SuiteTest, shuffled

__all__ = ["Rows", "Siblings", "row", "rows_of"]

Siblings = tuple[int, int]
"""Two neighbours of one group, each by its number."""


def row(things: int, number: int) -> list[int]:
    """Return one row of 0 to things - 1; there are `rows_of` different ones."""
    even = rows_of(things)
    places = (at // 2 if at % 2 == 0 else even - 1 - at // 2 for at in range(even))
    return [at for place in places if (at := (place + number) % even) < things]


def rows_of(things: int) -> int:
    """Return how many rows cover all neighbours of so many things."""
    return things + things % 2 if things > 1 else things


@dataclass(slots=True)
class _Group:
    """A group, or the whole of one rank: its members, as they are numbered."""

    number: int
    """Below zero, where those of tests are not."""
    children: list[_Group | int] = field(default_factory=list)
    known: dict[str, _Group] = field(default_factory=dict)

    def row(self, number: int) -> Iterator[int]:
        for at in row(len(self.children), number):
            child = self.children[at]
            if isinstance(child, int):
                yield child
            else:
                yield from child.row(number)


class Rows:
    """The rows of a suite. The seed decides who is who in them.

    Under ``mixed`` groups count for nothing. What rows cover are *siblings*: two tests
    of a class, or two classes of a module, the last test of one right before the first
    of the other.
    """

    def __init__(
        self, tests: Sequence[SuiteTest], seed: int, *, mixed: bool = False
    ) -> None:
        self._ids = tuple(test.id for test in tests)
        self._paths: dict[str, tuple[int, ...]] = {}
        self._ranks: dict[int, _Group] = {}
        self._groups: list[_Group] = []
        numbers = {test: at for at, test in enumerate(self._ids)}
        suite = {test.id: test for test in tests}
        for each in shuffled(tests, seed, mixed=mixed):
            self._take(suite[each], numbers[each], mixed=mixed)
        self.number = max(
            (rows_of(len(group.children)) for group in self._groups), default=0
        )
        """How many rows cover all siblings."""
        self.siblings = sum(
            len(group.children) * (len(group.children) - 1) for group in self._groups
        )
        """How many pairs of siblings there are."""

    def order(self, number: int) -> tuple[str, ...]:
        """Return one row as an order."""
        return tuple(
            self._ids[test]
            for rank in sorted(self._ranks)
            for test in self._ranks[rank].row(number)
        )

    def met(self, order: Sequence[str]) -> Iterator[Siblings]:
        """Yield the siblings that come next to each other in an order."""
        for left, right in pairwise(order):
            before, after = self._paths.get(left), self._paths.get(right)
            if before is None or after is None or before[0] != after[0]:
                continue
            for one, other in zip(before, after, strict=False):
                if one != other:
                    yield one, other
                    break

    def _take(self, test: SuiteTest, number: int, *, mixed: bool) -> None:
        group = self._ranks.get(test.rank)
        if group is None:
            group = self._ranks[test.rank] = self._new()
        path = [group.number]
        for name in () if mixed else test.groups:
            inner = group.known.get(name)
            if inner is None:
                inner = group.known[name] = self._new()
                group.children.append(inner)
            group = inner
            path.append(group.number)
        group.children.append(number)
        self._paths[test.id] = (*path, number)

    def _new(self) -> _Group:
        self._groups.append(_Group(-1 - len(self._groups)))
        return self._groups[-1]
