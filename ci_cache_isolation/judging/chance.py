"""What chance allows: bounds on rates, the orders it takes, when to stop. Pure.

All of it is about runs like those that were run: this mix of orders, on this machine.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable
from dataclasses import dataclass

__all__ = [
    "CONFIDENCE",
    "Decision",
    "Sequential",
    "failure_rate_bound",
    "orders_needed",
    "rate_at_least",
    "rate_at_most",
    "seen_by_one_order",
]

CONFIDENCE = 0.95
_HALVINGS = 60


def failure_rate_bound(clean_runs: int, confidence: float = CONFIDENCE) -> float:
    """Return the failure rate that so many runs without a failure rule out.

    1 - (1 - confidence)^(1/runs): about 3/runs at 95 %.
    """
    return 1.0 if not clean_runs else 1 - (1 - confidence) ** (1 / clean_runs)


def rate_at_least(failed: int, runs: int, confidence: float = CONFIDENCE) -> float:
    """Return the rate below which so many failures would be too many (Clopper-Pearson).

    One-sided. For an interval at 95 % take both sides at 97.5 %.
    """
    if not failed:
        return 0.0
    return _bisected(lambda rate: 1 - _at_most(failed - 1, runs, rate), 1 - confidence)


def rate_at_most(failed: int, runs: int, confidence: float = CONFIDENCE) -> float:
    """Return the rate above which so few failures would be too few (Clopper-Pearson).

    One-sided; for no failure it is `failure_rate_bound`.
    """
    if failed >= runs:
        return 1.0
    return _bisected(lambda rate: -_at_most(failed, runs, rate), confidence - 1)


def seen_by_one_order(cleaners: int = 0, polluters: int = 1) -> float:
    """Return how likely a random order is to show a victim failing.

    The last of all its polluters and cleaners before it has to be a polluter, or none:
    m / (m + k + 1), where all of them move freely.
    """
    return polluters / (polluters + cleaners + 1)


def orders_needed(
    confidence: float = CONFIDENCE, *, cleaners: int = 0, polluters: int = 1
) -> int:
    """Return how many random orders show a victim failing, with a confidence."""
    misses = 1 - seen_by_one_order(cleaners, polluters)
    return math.ceil(math.log(1 - confidence) / math.log(misses))


class Decision(enum.Enum):
    """What a sequential test has come to."""

    OPEN = enum.auto()
    RARE = enum.auto()
    OFTEN = enum.auto()


@dataclass(frozen=True, slots=True)
class Sequential:
    """Wald's sequential probability ratio test: fails it often, or hardly ever.

    ``rare`` and ``often`` are the two rates to tell apart; ``false_often`` and
    ``false_rare`` how likely the wrong answer may be where the one or the other is
    true. With these numbers one failure more than chance is enough for OFTEN, and it
    takes six passes to come to RARE.
    """

    rare: float = 0.02
    often: float = 0.5
    false_often: float = 0.10
    false_rare: float = 0.02
    failed: int = 0
    passed: int = 0

    def after(self, *, failed: int = 0, passed: int = 0) -> Sequential:
        """Return the test with more outcomes."""
        return Sequential(
            self.rare,
            self.often,
            self.false_often,
            self.false_rare,
            self.failed + failed,
            self.passed + passed,
        )

    @property
    def decision(self) -> Decision:
        """What the outcomes so far are enough for."""
        ratio = self.failed * math.log(self.often / self.rare) + self.passed * math.log(
            (1 - self.often) / (1 - self.rare)
        )
        if ratio >= math.log((1 - self.false_rare) / self.false_often):
            return Decision.OFTEN
        if ratio <= math.log(self.false_rare / (1 - self.false_often)):
            return Decision.RARE
        return Decision.OPEN


def _at_most(failed: int, runs: int, rate: float) -> float:
    """Return the binomial distribution function, for a rate between 0 and 1."""
    fails, passes = math.log(rate), math.log1p(-rate)
    return math.fsum(
        math.exp(
            math.lgamma(runs + 1)
            - math.lgamma(some + 1)
            - math.lgamma(runs - some + 1)
            + some * fails
            + (runs - some) * passes
        )
        for some in range(failed + 1)
    )


def _bisected(rising: Callable[[float], float], wanted: float) -> float:
    """Return where, between 0 and 1, a rising function has a value."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if rising(middle) < wanted:
            low = middle
        else:
            high = middle
    return (low + high) / 2
