"""Which of several entries that two tests have in common changes the outcome.

An experiment: the victim runs after its polluters once more, and before it begins what
they did to all entries but one is undone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ci_cache_isolation.evidence.account import Entry
from ci_cache_isolation.evidence.conflicts import Suspicion
from ci_cache_isolation.judging.deciding import Experiment, OverError
from ci_cache_isolation.running.jobs import Job, SectionMode
from ci_cache_isolation.running.limits import Runs

__all__ = ["NOT_TRIED", "Decided", "decide"]

MOST = 60
"""So many entries are tried."""
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
    tried = tuple(suspicions[:MOST])

    def job_without(undone: Group) -> Job:
        entries = ((each.conflict.alias, *each.conflict.entry) for each in undone)
        return Job(order, sections, undone=tuple(entries))

    experiment = Experiment(tried, job_without, alone, run)
    try:
        groups, harmless = experiment.deciding()
    except OverError:
        return NOT_TRIED
    return Decided(tuple(groups), frozenset(each.conflict.entry for each in harmless))
