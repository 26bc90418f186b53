"""Paired samples compared: the median of their ratios, and how sure it is.

Samples come in groups, one for each set of worker processes. Processes differ from one
another by a constant (where their memory lies), so the interval is a bootstrap over
groups, not over single samples: that would look surer than it is.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Comparison", "Estimate", "compared", "estimated"]

Groups = Sequence[Sequence[float]]

RESAMPLES = 300
MICROSECONDS = 1e6


@dataclass(frozen=True, slots=True)
class Estimate:
    """A median, and the 90 % interval that a bootstrap puts around it."""

    median: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """One contestant against another, sample by sample of the same round.

    ``base`` is the microseconds that the other one takes for one unit of work while the
    machine is left alone; ``more`` is what the ratio makes of it. Differences of single
    samples would be those of a machine that is twice as slow at times.
    """

    ratio: Estimate
    more: Estimate
    base: float


def compared(one: Groups, other: Groups, seed: int = 0) -> Comparison:
    """Compare seconds; both have the same groups with the same rounds."""
    pairs = [list(zip(*both, strict=True)) for both in zip(one, other, strict=True)]
    ratio = estimated([[a / b for a, b in group] for group in pairs], seed)
    base = _left_alone([b for group in pairs for _, b in group]) * MICROSECONDS
    more = (base * (each - 1) for each in (ratio.median, ratio.low, ratio.high))
    return Comparison(ratio, Estimate(*more), base)


def _left_alone(seconds: Sequence[float]) -> float:
    """Return what a tenth of the samples stays below."""
    return statistics.quantiles(seconds, n=10, method="inclusive")[0]


def estimated(groups: Groups, seed: int = 0) -> Estimate:
    """Return the median of all values, and where it would lie with other groups."""
    rng = random.Random(seed)  # noqa: S311 - statistics
    medians = []
    for _ in range(RESAMPLES):
        drawn = rng.choices(groups, k=len(groups))
        medians.append(
            statistics.median(
                value for group in drawn for value in rng.choices(group, k=len(group))
            )
        )
    low, *_, high = statistics.quantiles(medians, n=20, method="inclusive")
    return Estimate(
        statistics.median(value for group in groups for value in group), low, high
    )
