"""What isolation may cost at most, and whether a measurement says that it does."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from bench.spread import Comparison

__all__ = [
    "EMPTY_COMMAND",
    "EMPTY_PYTEST",
    "EMPTY_UNITTEST",
    "ENTRIES_AGAINST_CLEAR",
    "KEYSPACE_KEY",
    "MEMORY_OPERATION",
    "Goal",
    "Unit",
    "Verdict",
    "judged",
]


class Unit(enum.Enum):
    """What a goal counts in."""

    RATIO = "x"
    MICROSECONDS = "µs more"


class Verdict(enum.Enum):
    """What a measurement says about a goal."""

    MET = "met"
    UNCLEAR = "unclear: noise"
    MISSED = "MISSED"
    NONE = ""
    NOT_ISOLATED = "not isolated yet"


@dataclass(frozen=True, slots=True)
class Goal:
    """At most this much."""

    limit: float
    unit: Unit

    def __str__(self) -> str:
        return f"≤ {self.limit:g} {self.unit.value}"

    def times(self, number: int) -> Goal:
        """Return the goal for so many of what this one is about."""
        return Goal(self.limit * number, self.unit)


EMPTY_UNITTEST = Goal(10, Unit.MICROSECONDS)
"""A test that touches no cache, with one memory alias, under Django's runner."""

EMPTY_PYTEST = Goal(40, Unit.MICROSECONDS)
"""The same under pytest."""

EMPTY_COMMAND = Goal(1.03, Unit.RATIO)
"""The whole command with 2,000 such tests in a new project, start-up included.

One without any app takes 0.33 s, of which 10 µs a test would be 6 % already.
"""

MEMORY_OPERATION = Goal(1.00, Unit.RATIO)
"""An operation on LocMemCache: nothing of it is wrapped."""

KEYSPACE_KEY = Goal(1.5, Unit.MICROSECONDS)
"""A key of an operation where a section id goes in front of keys."""

ENTRIES_AGAINST_CLEAR = Goal(1.00, Unit.RATIO)
"""A test that stores five entries on Redis, against ``clear()`` in its tearDown."""


def judged(goal: Goal | None, measured: Comparison, control: Comparison) -> Verdict:
    """Judge a measurement; ``control`` compares plain with plain, so it is the noise.

    A goal is missed only where the low end of the interval lies beyond it, by more than
    plain differs from plain: machine and neighbours must not make a miss.
    """
    if goal is None:
        return Verdict.NONE
    if goal.unit is Unit.RATIO:
        estimate, noise = measured.ratio, abs(control.ratio.median - 1)
    else:
        estimate, noise = measured.more, abs(control.more.median)
    if estimate.median <= goal.limit:
        return Verdict.MET
    return Verdict.UNCLEAR if estimate.low <= goal.limit + noise else Verdict.MISSED
