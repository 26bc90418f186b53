"""What two tests have in common: entries, or what memoised functions remember."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

from ci_cache_isolation.evidence.conflicts import Conflict, Suspicion, can_meet

__all__ = ["Carriers"]


class Carriers:
    """Conflicts by the tests that meet in them."""

    def __init__(self, conflicts: Iterable[Conflict]) -> None:
        self._conflicts = tuple(conflicts)
        self._left: defaultdict[str, set[int]] = defaultdict(set)
        self._seen: defaultdict[str, set[int]] = defaultdict(set)
        for number, conflict in enumerate(self._conflicts):
            for leaver in conflict.left_by:
                for test in leaver.actor.tests:
                    self._left[test].add(number)
            for looker in conflict.seen_by:
                for test in looker.actor.tests:
                    self._seen[test].add(number)

    def between(self, victim: str, polluters: Collection[str]) -> list[Suspicion]:
        """Return a suspicion for each entry that polluters leave to a victim.

        That which fewest tests share comes first, and what is only deleted comes last.
        """
        left = set().union(*(self._left.get(test, ()) for test in polluters))
        common = left & self._seen.get(victim, set())
        found = (
            _suspicion(self._conflicts[number], victim, polluters)
            for number in sorted(common)
        )
        return sorted(filter(None, found), key=_rank)


def _suspicion(
    conflict: Conflict, victim: str, polluters: Collection[str]
) -> Suspicion | None:
    for looker in conflict.seen_by:
        if victim in looker.actor.tests:
            for leaver in conflict.left_by:
                if not can_meet(leaver, looker):
                    continue
                if not set(polluters).isdisjoint(leaver.actor.tests):
                    return Suspicion(conflict, leaver, looker)
    return None


def _rank(suspicion: Suspicion) -> tuple[bool, int]:
    conflict = suspicion.conflict
    tests = len(conflict.left_by) + len(conflict.seen_by)
    return suspicion.looker.is_tidying, tests
