"""What carried a leak that was proved: an entry of a cache, or a memoised function."""

from __future__ import annotations

from collections.abc import Iterable

from ci_cache_isolation.audit.conflicts import Audited, Conflict, Suspicion
from ci_cache_isolation.audit.proofs import Proof

__all__ = ["carrier", "suspicion_between"]


def carrier(
    audited: Audited, victim: str, polluter: str, proof: Proof
) -> Suspicion | None:
    """Return what fits the proof best of all that the two tests have in common."""
    suspected = audited.suspects.get(victim, {}).get(polluter)
    is_memoised = proof.is_of_memoised
    if suspected and suspected.conflict.entry.is_memoised == is_memoised:
        return suspected
    fitting = [
        each for each in audited.conflicts if each.entry.is_memoised == is_memoised
    ]
    return (
        suspicion_between(fitting, victim, polluter)
        or suspected
        or suspicion_between(audited.conflicts, victim, polluter)
    )


def suspicion_between(
    conflicts: Iterable[Conflict], victim: str, polluter: str
) -> Suspicion | None:
    """Return the suspicion between two tests that fewest others share, None if none."""
    few_first = sorted(
        conflicts, key=lambda each: len(each.left_by) + len(each.seen_by)
    )
    for conflict in few_first:
        for leaver in conflict.left_by:
            if polluter not in leaver.actor.tests:
                continue
            for looker in conflict.seen_by:
                if victim in looker.actor.tests:
                    return Suspicion(conflict, leaver, looker)
    return None
