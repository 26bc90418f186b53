"""Which orders are run, in which sequence. Pure.

Forward and reverse first: together they put every pair of tests both ways round. Then
random orders, every second one the reverse of the one before, which is never worse than
two independent ones. A split run at the end: the user's own way of running in parallel.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Kind", "Step", "steps"]


class Kind(enum.StrEnum):
    """Kinds of runs, as the report names them."""

    FORWARD = "forward"
    REVERSE = "reverse"
    RANDOM = "random"
    SPLIT = "split"


@dataclass(frozen=True, slots=True)
class Step:
    """One run to be: its kind, the seed of its order, the workers it is dealt out to.

    ``seed`` is None where the order is the suite's own; ``reverse`` turns it round.
    """

    index: int
    kind: Kind
    seed: int | None = None
    reverse: bool = False
    processes: int = 1

    @property
    def name(self) -> str:
        """What people call it."""
        match self.kind:
            case Kind.RANDOM:
                return f"random {self.seed}{' reversed' if self.reverse else ''}"
            case Kind.SPLIT:
                return f"split over {self.processes}"
            case _:
                return self.kind.value


def steps(*, orders: int, seed: int, split: int) -> Iterator[Step]:
    """Yield the plan: forward, reverse, ``orders`` random orders, one split run.

    Random orders take the seeds from ``seed`` on, two orders each. ``split`` is the
    number of workers; below two there is no split run.
    """
    yield Step(0, Kind.FORWARD)
    yield Step(1, Kind.REVERSE, reverse=True)
    for number in range(orders):
        half, reverse = divmod(number, 2)
        yield Step(2 + number, Kind.RANDOM, seed + half, reverse=bool(reverse))
    if split > 1:
        yield Step(2 + orders, Kind.SPLIT, processes=split)
