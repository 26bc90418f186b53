"""What is asked of a stress run, and who is told how it goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ci_cache_isolation.judging.judged import Judged
from ci_cache_isolation.running.checked_types import Amount, Seed, Workers
from ci_cache_isolation.running.order_file import Cache
from ci_cache_isolation.stress.plan import Shard, Wishes
from ci_cache_isolation.stress.results import Run

__all__ = ["WHOLE", "Progress", "StressRequest"]

WHOLE = Shard(1, 1)
"""No shard: all of the plan."""


@dataclass(frozen=True, slots=True)
class StressRequest:
    """What is run, and how much.

    ``minutes`` is None for no limit. `Wishes` and `Shard` are the plan's. With
    ``hashes_keys`` no cache key is recorded as it is. With ``traces`` it is found out
    first what each test leaves besides caches, and whom that changes.
    """

    labels: tuple[str, ...]
    cache: Cache
    wishes: Wishes
    minutes: Amount | None
    seed: Seed
    processes: Workers
    shard: Shard = WHOLE
    hashes_keys: bool = False
    traces: bool = True


class Progress(Protocol):
    """Is told what becomes known, as it does."""

    def run(self, run: Run, done: int, planned: int | None) -> None:
        """Hear that an order has come to its end."""

    def step(self, text: str) -> None:
        """Hear that something else begins."""

    def finding(self, judged: Judged) -> None:
        """Hear that a test was judged, or is known better than before."""
