"""What carried a failure that was proved: an entry, a function, or any state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ci_cache_isolation.evidence.conflicts import Suspicion
from ci_cache_isolation.evidence.evidence import Evidence
from ci_cache_isolation.judging.carrier import carried
from ci_cache_isolation.judging.deciding_entry import NOT_TRIED, decide
from ci_cache_isolation.judging.finding import Finding
from ci_cache_isolation.judging.judged import Judged
from ci_cache_isolation.judging.proofs import Proof
from ci_cache_isolation.judging.verdicts import Verdict
from ci_cache_isolation.running.jobs import SectionMode
from ci_cache_isolation.running.limits import Runs
from ci_cache_isolation.running.outcomes import FAILED, PASSED

__all__ = ["about", "fitting", "met_beside", "with_carrier"]


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


def with_carrier(  # noqa: PLR0913,PLR0917
    judged: Judged,
    evidence: Evidence,
    run: Runs | None,
    folder: Path | None,
    sections: SectionMode,
    known: Finding | None,
) -> Finding:
    """Return a finding with what carried it, found by experiment.

    ``run`` is None where nothing can be run any more; ``folder`` where processes can't
    be compared, as they are not forks of one. What was found before, of the same order,
    is not looked for again.
    """
    if run is None:
        return Finding(judged)
    if known is not None and known.judged.order != judged.order:
        known = None
    suspicions = about(judged, evidence)
    decided, replay = NOT_TRIED, None
    if known is not None:
        decided, replay = known.decided, known.replay
    if suspicions:
        if not decided.is_whole:
            decided = decide(
                suspicions,
                judged.order,
                FAILED if judged.verdict is Verdict.BRITTLE else PASSED,
                run,
                sections=sections,
            )
        if not decided.is_whole:
            return Finding(judged, suspicions[0], decided, replay)
        if decided.groups:
            return Finding(judged, decided.first, decided, replay)
    finding = Finding(judged, None, decided, replay)
    if known is not None and known.carried is not None:
        return replace(finding, carried=known.carried)
    if folder is None or not judged.after or judged.proof.is_of_memoised:
        return finding
    found = carried(judged, run, folder, sections=sections)
    return replace(finding, carried=found)
