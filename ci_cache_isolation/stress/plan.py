"""Which orders are run, in which sequence. Pure.

Forward and reverse first: together they put every pair of tests both ways round. Then
each test twice in a row, which finds those that pollute themselves. Then, as many as
are wanted, random orders, each with its reverse next, which is never worse than two
independent ones, or rows, which put neighbours next to each other that never were:
whichever shows more that no order before has shown. Last a split run, the user's own
way of running in parallel.

The choice depends on what the orders hold, never at what came of running them. So the
plan is a function of the tests, the seed and the wishes, and each shard knows it
without the others.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count

from ci_cache_isolation.running.checked_types import (
    Amount,
    Count,
    Positive,
    Seed,
    Split,
    Workers,
)
from ci_cache_isolation.stress.orders import SuiteTest, reverse, shuffled, twice
from ci_cache_isolation.stress.pairs import Pairs
from ci_cache_isolation.stress.rows import Rows, Siblings

__all__ = ["Kind", "Planned", "Shard", "Step", "Wishes", "order_of", "planned"]

CANDIDATES = 4
"""Seeds that the next random order is chosen from."""


class Kind(enum.StrEnum):
    """Kinds of runs, as the report names them."""

    FORWARD = "forward"
    REVERSE = "reverse"
    TWICE = "twice"
    RANDOM = "random"
    ROW = "row"
    SPLIT = "split"


@dataclass(frozen=True, slots=True)
class Step:
    """One run to be: its kind, the seed of its order, the workers it is dealt out to.

    ``seed`` is None where the order is the suite's own; ``reverse`` turns it round;
    ``row`` is the number of a row; ``mixed`` keeps no groups together.
    """

    index: Count
    kind: Kind
    seed: Seed | None = None
    reverse: bool = False
    processes: Workers = 1
    row: Count = 0
    mixed: bool = False

    @property
    def name(self) -> str:
        """What people call it."""
        match self.kind:
            case Kind.RANDOM:
                return f"random {self.seed}{' reversed' if self.reverse else ''}"
            case Kind.ROW:
                return f"row {self.row}"
            case Kind.SPLIT:
                return f"split over {self.processes}"
            case _:
                return self.kind.value


@dataclass(frozen=True, slots=True)
class Shard:
    """The part of a plan that one of several machines takes: ``number`` from 1 on."""

    number: Positive
    of: Positive

    def takes(self, step: Step) -> bool:
        """Whether a step is its own. Forward is everybody's: it lists the tests."""
        return step.index == 0 or (step.index - 1) % self.of == self.number - 1


@dataclass(frozen=True, slots=True)
class Wishes:
    """How much is to be planned.

    ``orders`` counts random orders and rows; None for no limit, which needs
    ``until_pairs`` or somebody who stops asking. ``until_pairs`` is a share, 0 to 1, of
    the siblings that are to be neighbours (`Rows`): forward and reverse alone have
    every pair of tests both ways round, so that of ordered pairs would always be
    reached. It is reached by rows, with as few orders as can be, and none is planned
    beyond it. ``split`` is the number of workers; below two there is no split run.
    """

    orders: Count | None = 10
    until_pairs: Amount | None = None
    twice: bool = True
    split: Split = 0
    mixed: bool = False


@dataclass(frozen=True, slots=True)
class Planned:
    """A step and its order; ``neighbours`` is the share of siblings met until then."""

    step: Step
    order: tuple[str, ...]
    neighbours: float


def planned(tests: Sequence[SuiteTest], wishes: Wishes, seed: int) -> Iterator[Planned]:
    """Yield the whole plan. Random orders take seeds from ``seed`` on."""
    planner = _Planner(tests, wishes, seed)
    yield planner.take(Kind.FORWARD)
    yield planner.take(Kind.REVERSE, reverse=True)
    if wishes.twice:
        yield planner.take(Kind.TWICE)
    orders = 0
    while not planner.is_enough(orders):
        for each in planner.best():
            if not planner.is_enough(orders):
                yield planner.take_candidate(each)
                orders += 1
    if wishes.split > 1:
        yield planner.take(Kind.SPLIT, processes=wishes.split)


def order_of(tests: Sequence[SuiteTest], step: Step) -> tuple[str, ...]:
    """Return the order of a step, which may have been read from a file."""
    own = tuple(test.id for test in sorted(tests, key=lambda test: test.rank))
    match step.kind:
        case Kind.RANDOM if step.seed is not None:
            own = shuffled(tests, step.seed, mixed=step.mixed)
        case Kind.ROW if step.seed is not None:
            own = Rows(tests, step.seed, mixed=step.mixed).order(step.row)
        case Kind.TWICE:
            return twice(own)
        case _:
            pass
    return reverse(tests, own) if step.reverse else own


class _Planner:
    """Knows what is planned already, and the candidates for what comes next."""

    def __init__(self, tests: Sequence[SuiteTest], wishes: Wishes, seed: int) -> None:
        self._tests = tests
        self._wishes = wishes
        self._seed = seed
        self._pairs = Pairs.of(tests)
        self._rows = Rows(tests, seed, mixed=wishes.mixed)
        self._met: set[Siblings] = set()
        self._index = count()
        self._seeds = count(seed)
        self._random: list[list[Planned]] = []
        self._row: list[Planned] = []
        self._next_row = 0

    @property
    def _neighbours(self) -> float:
        return len(self._met) / self._rows.siblings if self._rows.siblings else 1.0

    def is_enough(self, orders: int) -> bool:
        """Whether all is planned that was wished for."""
        limit, until = self._wishes.orders, self._wishes.until_pairs
        return (limit is not None and orders >= limit) or (
            until is not None and self._neighbours >= until
        )

    def take(self, kind: Kind, *, reverse: bool = False, processes: int = 1) -> Planned:
        """Plan a step in the suite's own order."""
        step = Step(0, kind, reverse=reverse, processes=processes)
        return self.take_candidate(Planned(step, order_of(self._tests, step), 0.0))

    def take_candidate(self, candidate: Planned) -> Planned:
        """Plan a step, and count what it holds where one process runs it."""
        if candidate.step.processes == 1:
            self._pairs.add(candidate.order)
            self._met.update(self._rows.met(candidate.order))
        step = replace(candidate.step, index=next(self._index))
        return Planned(step, candidate.order, self._neighbours)

    def best(self) -> list[Planned]:
        """Return what shows most that is new, for each order that it takes."""
        if not self._row and self._next_row < self._rows.number:
            step = Step(0, Kind.ROW, self._seed, row=self._next_row)
            order = self._rows.order(self._next_row)
            self._row = [Planned(replace(step, mixed=self._wishes.mixed), order, 0.0)]
            self._next_row += 1
        best = self._row
        if not best or self._wishes.until_pairs is None:
            while len(self._random) < CANDIDATES:
                self._random.append(self._random_pair(next(self._seeds)))
            # The first of equals: a row has to be better than every random order.
            best = max([*self._random, *([best] if best else [])], key=self._worth)
        if best is self._row:
            self._row = []
        else:
            self._random.remove(best)
        return best

    def _random_pair(self, seed: int) -> list[Planned]:
        step = Step(0, Kind.RANDOM, seed, mixed=self._wishes.mixed)
        steps = (step, replace(step, reverse=True))
        return [Planned(each, order_of(self._tests, each), 0.0) for each in steps]

    def _worth(self, candidate: Sequence[Planned]) -> tuple[float, float]:
        pairs, neighbours = self._pairs.gain(*(each.order for each in candidate))
        return pairs / len(candidate), neighbours / len(candidate)
