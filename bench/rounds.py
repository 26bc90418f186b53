"""Contestants take turns in one run, so that a drifting machine hits all alike."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

__all__ = ["FULL", "QUICK", "Effort", "interleaved"]


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured: groups of processes, rounds in each, seconds a batch."""

    groups: int
    rounds: int
    batch: float
    commands: int


QUICK = Effort(groups=4, rounds=6, batch=0.004, commands=6)
FULL = Effort(groups=12, rounds=15, batch=0.006, commands=30)


def interleaved(
    contestants: Mapping[str, Callable[[], float]], rounds: int, rng: random.Random
) -> dict[str, list[float]]:
    """Ask every contestant once in every round, in an order drawn for each round.

    A first round warms up and is not counted.
    """
    samples: dict[str, list[float]] = {name: [] for name in contestants}
    order = list(contestants)
    for place in range(rounds + 1):
        rng.shuffle(order)
        for name in order:
            sample = contestants[name]()
            if place:
                samples[name].append(sample)
    return samples
