"""Which of several entries that two tests have in common changes the outcome.

An experiment: the victim runs after its polluters once more, and before it begins what
they did to all entries but one is undone. A search over ``run``, as in `confirming`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ci_cache_isolation.evidence.account import Entry
from ci_cache_isolation.evidence.conflicts import Suspicion
from ci_cache_isolation.judging.proofs import TIMES
from ci_cache_isolation.running.jobs import Job, SectionMode
from ci_cache_isolation.running.limits import Runs
from ci_cache_isolation.running.outcomes import FAILED, PASSED

__all__ = ["NOT_TRIED", "Decided", "decide"]

ONE_BY_ONE = 12
"""So many entries are put in place one by one; of more, half by half."""
MOST = 60
Group = tuple[Suspicion, ...]


@dataclass(frozen=True, slots=True)
class Decided:
    """What carried a failure.

    ``groups`` is empty where it was none of the entries, or where time was over; each
    of its groups is enough, and all of one are needed together. ``harmless`` are the
    entries that changed nothing when they alone were in place.
    """

    groups: tuple[Group, ...] = ()
    harmless: frozenset[Entry] = field(default_factory=frozenset)
    is_whole: bool = True
    """Whether there was time for the experiment."""

    @property
    def first(self) -> Suspicion | None:
        """The first of what decides."""
        return self.groups[0][0] if self.groups else None


NOT_TRIED = Decided(is_whole=False)


def decide(  # noqa: PLR0913
    suspicions: Sequence[Suspicion],
    order: tuple[str, ...],
    alone: str,
    run: Runs,
    *,
    is_known: bool = True,
    sections: SectionMode = SectionMode.SHARED,
) -> Decided:
    """Find out what carries it, out of what the tests of an order have in common.

    ``alone`` is the outcome of the last test of the order without the others,
    ``is_known`` says that one of them carries it, so that of one there is no question.
    """
    if is_known and len(suspicions) == 1:
        return Decided((tuple(suspicions),))
    experiment = _Experiment(tuple(suspicions[:MOST]), order, alone, run, sections)
    try:
        return experiment.decided()
    except _OverError:
        return NOT_TRIED


class _OverError(Exception):
    """A run did not come to its end."""


class _Experiment:
    def __init__(
        self,
        suspicions: Group,
        order: tuple[str, ...],
        alone: str,
        run: Runs,
        sections: SectionMode,
    ) -> None:
        self._all = suspicions
        self._order = order
        self._alone = alone
        self._run = run
        self._sections = sections

    def decided(self) -> Decided:
        if not self._all:
            return Decided()
        singles: list[Group] = [(each,) for each in self._all]
        if len(singles) > ONE_BY_ONE:
            singles = []
        changed = self._changing([(), *singles])
        if () in changed:
            # It is there also when nothing of all that is in place.
            return Decided()
        groups: list[Group] = [each for each in singles if each in changed]
        harmless = frozenset(
            each[0].conflict.entry for each in singles if each not in changed
        )
        if not groups:
            groups = [self._needed()]
            harmless -= {each.conflict.entry for each in groups[0]}
        if not self._is_steady(groups[0]):
            return Decided(harmless=harmless)
        return Decided(tuple(groups), harmless)

    def _needed(self) -> Group:
        """Return a smallest group that is enough: what can go goes, half by half."""
        group = list(self._all)
        size = len(group) // 2
        while size:
            start = 0
            while start < len(group):
                rest = (*group[:start], *group[start + size :])
                if rest and self._changing([rest]):
                    group = list(rest)
                else:
                    start += size
            size //= 2
        return tuple(group)

    def _changing(self, groups: Sequence[Group]) -> set[Group]:
        """Return those groups that, alone in place, change the outcome."""
        asked = {self._job(group): group for group in groups}
        outcomes = {forked.job: forked.came_to for forked in self._run(asked)}
        if len(outcomes) < len(asked) or None in outcomes.values():
            raise _OverError
        return {asked[job] for job, last in outcomes.items() if self._is_change(last)}

    def _is_steady(self, group: Group) -> bool:
        jobs = [self._job(group) for _ in range(TIMES)]
        outcomes = [forked.came_to for forked in self._run(jobs)]
        if len(outcomes) < TIMES or None in outcomes:
            raise _OverError
        return all(map(self._is_change, outcomes))

    def _is_change(self, outcome: str | None) -> bool:
        return outcome in {PASSED, FAILED} and outcome != self._alone

    def _job(self, group: Group) -> Job:
        kept = {each.conflict.entry for each in group}
        undone = tuple(
            (each.conflict.alias, *each.conflict.entry)
            for each in self._all
            if each.conflict.entry not in kept
        )
        return Job(self._order, self._sections, undone=undone)
