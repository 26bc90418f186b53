"""A time that short runs may take: none is begun after it, and none goes on.

What a run comes to that was ended for it is not known, and says nothing of its tests.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from ci_cache_isolation.running.jobs import End, Forked, Job

__all__ = ["Runs", "TimeLimit"]

_LEAST = 0.1
Runs = Callable[[Iterable[Job]], Iterator[Forked]]


class TimeLimit:
    """Seconds from now on, by a ``clock``."""

    def __init__(
        self, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self.until = clock() + seconds

    @property
    def left(self) -> float:
        """The seconds that are left, 0 if it is over."""
        return max(0.0, self.until - self._clock())

    def is_over(self) -> bool:
        """Return whether nothing more is to be begun."""
        return not self.left

    def but(self, seconds: float) -> TimeLimit:
        """Return one that ends so many seconds earlier."""
        return TimeLimit(self.left - seconds, self._clock)

    def within(self, run: Runs, usual: Callable[[], float]) -> Runs:
        """Return what runs jobs as ``run`` does, as long as there is time.

        ``usual`` returns the time limit of a job that has none of its own. The outcomes
        of a run that is ended for this limit are left out.
        """

        def limited(jobs: Iterable[Job]) -> Iterator[Forked]:
            # With the jobs: the id of one that is gone may be that of the next.
            sent: dict[int, tuple[Job, Job]] = {}

            def begun() -> Iterator[Job]:
                for job in jobs:
                    left = self.left
                    if not left:
                        return
                    own = usual() if job.seconds is None else job.seconds
                    made = job
                    if left < own:
                        made = replace(job, seconds=max(left, _LEAST))
                        sent[id(made)] = made, job
                    yield made

            for forked in run(begun()):
                if id(forked.job) not in sent:
                    yield forked
                    continue
                _, job = sent.pop(id(forked.job))
                if forked.end is End.TIMED_OUT:
                    # It might have come to its end.
                    yield Forked(job, End.INTERRUPTED, {}, forked.seconds, "")
                else:
                    yield replace(forked, job=job)

        return limited
