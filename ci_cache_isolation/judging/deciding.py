"""Which of several things that a test meets changes its outcome: an experiment.

The test runs after its polluters once more, and before it begins all of them but some
are as if nobody had touched them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

from ci_cache_isolation.evidence.halving import fewest
from ci_cache_isolation.judging.proofs import TIMES
from ci_cache_isolation.running.jobs import Job
from ci_cache_isolation.running.limits import Runs
from ci_cache_isolation.running.outcomes import FAILED, PASSED

__all__ = ["ONE_BY_ONE", "Experiment", "OverError"]

ONE_BY_ONE = 12
"""So many things are put in place one by one; of more, half by half."""
T = TypeVar("T", bound=Hashable)


class OverError(Exception):
    """A run did not come to its end."""


class Experiment(Generic[T]):
    """Runs jobs in which some of ``things`` are in place, and the others are not.

    ``job_without`` returns the job in which some are not. ``alone`` is the outcome of
    its last test without the others.
    """

    def __init__(
        self,
        things: Sequence[T],
        job_without: Callable[[tuple[T, ...]], Job],
        alone: str,
        run: Runs,
    ) -> None:
        self._things = tuple(things)
        self._job_without = job_without
        self._alone = alone
        self._run = run

    def deciding(self) -> tuple[list[tuple[T, ...]], list[T]]:
        """Return the groups that are enough, and single things that are not.

        No group where none of the things decides, or none does it every time.
        `OverError` when a run did not end.
        """
        if not self._things:
            return [], []
        singles: list[tuple[T, ...]] = [(each,) for each in self._things]
        if len(singles) > ONE_BY_ONE:
            singles = []
        changed = self.changing([(), *singles])
        if () in changed:
            # It is there also when nothing of all that is in place.
            return [], []
        groups = [each for each in singles if each in changed]
        harmless = [each[0] for each in singles if each not in changed]
        if not groups:
            groups = [self._needed()]
            harmless = [each for each in harmless if each not in groups[0]]
        return (groups if self.is_steady(groups[0]) else []), harmless

    def changing(self, groups: Sequence[tuple[T, ...]]) -> set[tuple[T, ...]]:
        """Return those groups that, alone in place, change the outcome."""
        asked = {self._job(group): group for group in groups}
        outcomes = {forked.job: forked.came_to for forked in self._run(asked)}
        if len(outcomes) < len(asked) or None in outcomes.values():
            raise OverError
        return {asked[job] for job, last in outcomes.items() if self.is_change(last)}

    def is_steady(self, group: tuple[T, ...]) -> bool:
        """Return whether a group, alone in place, changes it every time."""
        jobs = [self._job(group) for _ in range(TIMES)]
        outcomes = [forked.came_to for forked in self._run(jobs)]
        if len(outcomes) < TIMES or None in outcomes:
            raise OverError
        return all(map(self.is_change, outcomes))

    def is_change(self, outcome: str | None) -> bool:
        """Return whether an outcome is another than alone."""
        return outcome in {PASSED, FAILED} and outcome != self._alone

    def _needed(self) -> tuple[T, ...]:
        """Return a smallest group that is enough: what can go goes, half by half."""
        return tuple(
            fewest(self._things, lambda rest: bool(self.changing([tuple(rest)])))
        )

    def _job(self, group: tuple[T, ...]) -> Job:
        kept = set(group)
        return self._job_without(
            tuple(each for each in self._things if each not in kept)
        )
