"""What carried a failure that was proved, as far as it was recorded."""

from __future__ import annotations

from collections.abc import Sequence

from ci_cache_isolation.evidence.conflicts import Suspicion
from ci_cache_isolation.evidence.evidence import Evidence
from ci_cache_isolation.judging.judged import Judged
from ci_cache_isolation.judging.proofs import Proof
from ci_cache_isolation.judging.verdicts import Verdict

__all__ = ["about", "fitting", "met_beside"]


def fitting(common: Sequence[Suspicion], proof: Proof) -> list[Suspicion]:
    """Return what two tests have in common, as far as it fits a proof.

    That is an entry where isolation makes the difference, a memoised function where
    only that helps which has functions forget. It is nothing where the proof tells
    neither.
    """
    return [
        each
        for each in common
        if proof.is_known and each.conflict.entry.is_memoised == proof.is_of_memoised
    ]


def about(judged: Judged, evidence: Evidence) -> list[Suspicion]:
    """Return what may have carried a failure from a test to another, or to itself."""
    if not judged.after:
        return []
    found: Sequence[Suspicion] = evidence.own.get(judged.test, ())
    if judged.verdict is not Verdict.SELF_POLLUTING:
        found = evidence.carriers.between(judged.test, judged.after[0])
    return fitting(found, judged.proof)


def met_beside(judged: Judged, evidence: Evidence) -> Suspicion | None:
    """Return what a test and another process both use that fails beside it."""
    met = (
        evidence.met(judged.test, other) for group in judged.after for other in group
    )
    return next(filter(None, met), None)
