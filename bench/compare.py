"""Groups of worker processes, started anew for each group, measured in turns."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field

from bench.contestant import Contestant
from bench.rounds import Effort, interleaved
from bench.spread import Comparison, compared
from bench.task import Task

__all__ = ["CONTROL", "ISOLATED", "PLAIN", "Entrant", "Samples", "measured"]

ISOLATED = "isolated"
PLAIN = "plain"
CONTROL = "plain again"

MOST_LOOPS = 200


@dataclass(frozen=True, slots=True)
class Entrant:
    """Who takes part: a task for its worker, and the name of its own case, if any."""

    task: Task
    case: str | None = None


@dataclass(slots=True)
class Samples:
    """Seconds by case and contestant, in groups of rounds."""

    seconds: dict[str, dict[str, list[list[float]]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    is_isolated: bool = False

    def add(self, case: str, group: Mapping[str, list[float]]) -> None:
        """Add what one group of processes measured."""
        for name, samples in group.items():
            self.seconds[case][name].append(samples)

    def compared(self, case: str, one: str, other: str) -> Comparison:
        """Compare two contestants in one case."""
        of_case = self.seconds[case]
        return compared(of_case[one], of_case[other])


def measured(
    entrants: Mapping[str, Entrant],
    cases: Iterable[str],
    effort: Effort,
    rng: random.Random,
    *,
    calibrates: bool = False,
) -> Samples:
    """Measure every case with every entrant.

    With ``calibrates`` a batch repeats its case as often as fills the effort's time.
    """
    cases = list(cases)
    samples = Samples()
    for _ in range(effort.groups):
        hash_seed = rng.randrange(2**32)
        with ExitStack() as stack:
            workers = {
                name: stack.enter_context(Contestant(entrant.task, hash_seed))
                for name, entrant in entrants.items()
            }
            samples.is_isolated = workers[ISOLATED].has_section
            for case in cases:
                loops = _loops(workers[PLAIN], case, effort.batch) if calibrates else 1
                asked: dict[str, Callable[[], float]] = {
                    name: worker.asking(entrants[name].case or case, loops)
                    for name, worker in workers.items()
                }
                samples.add(case, interleaved(asked, effort.rounds, rng))
    return samples


def _loops(worker: Contestant, case: str, batch: float) -> int:
    worker.seconds(case)
    return max(1, min(MOST_LOOPS, round(batch / worker.seconds(case, 10))))
