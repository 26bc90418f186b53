"""``report.json``: one versioned function from a result to JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from ci_cache_isolation.audit.causes import by_cause
from ci_cache_isolation.audit.result import AuditResult
from ci_cache_isolation.evidence.conflicts import Conflict, Suspicion
from ci_cache_isolation.evidence.hashing import is_hashed
from ci_cache_isolation.evidence.patterns import pattern_of
from ci_cache_isolation.judging.chance import CONFIDENCE, failure_rate_bound
from ci_cache_isolation.judging.deciding import Decided
from ci_cache_isolation.judging.finding import Finding
from ci_cache_isolation.judging.proofs import TIMES
from ci_cache_isolation.running.jobs import End

__all__ = [
    "SCHEMA",
    "audit_document",
    "bound",
    "conflict_of",
    "finding_of",
    "head",
    "state_of",
]

SCHEMA = 1
_LISTED_CALLERS = 50


def audit_document(result: AuditResult) -> dict[str, Any]:
    """Return an audit as the public schema has it.

    ``conflicts`` are all that were seen, ``findings`` those that were proved.
    """
    tests = len(result.audited.tests)
    return {
        **head("audit"),
        "suite": {
            "runner": result.runner,
            "tests": tests,
            "settings": result.settings,
        },
        "interrupted": result.is_interrupted,
        "complete": result.is_whole,
        "failure": result.failure,
        "remarks": result.remarks,
        "runs": [
            {
                "index": 0,
                "kind": "forward",
                "seed": None,
                "cache": "isolated",
                "processes": result.processes,
                "seconds": round(result.seconds, 3),
                "failed": result.failed,
            }
        ],
        "pairs": {
            "total": tests * (tests - 1),
            "covered": None,
            "adjacent": None,
            "unreachable": None,
        },
        "bound": {},
        "conflicts": [
            {**conflict_of(each), "result": standing.value}
            for each, standing in result.come_to()
        ],
        "findings": [
            {**finding_of(each), "cause": number}
            for number, cause in enumerate(by_cause(result.findings), start=1)
            for each in cause.findings
        ],
    }


def head(command: str) -> dict[str, Any]:
    """Return what every report begins with."""
    tool = {"name": "ci-cache-isolation", "version": version("ci-cache-isolation")}
    return {"schema": SCHEMA, "command": command, "tool": tool}


def conflict_of(conflict: Conflict) -> dict[str, Any]:
    """Return a conflict as the public schema has it."""
    key, has_pattern = conflict.entry.key, not conflict.entry.is_memoised
    # What half of the tests call would fill the report with nothing but their names.
    listed = _LISTED_CALLERS if conflict.is_common else None
    return {
        "alias": conflict.alias,
        **_named(conflict),
        "pattern": pattern_of(key) if has_pattern and not is_hashed(key) else None,
        "version": conflict.entry.version,
        "left_by": [
            {
                "test": each.actor.test,
                "at": each.site.at,
                "how": each.left.how.value,
                "expires_in": each.expires_soon_in,
            }
            for each in conflict.left_by[:listed]
        ],
        "seen_by": [
            {"test": each.actor.test, "at": each.site.at, "hit": each.look.hit}
            for each in conflict.seen_by[:listed]
        ],
    }


def finding_of(finding: Finding) -> dict[str, Any]:
    """Return a finding as the public schema has it."""
    judged, proof = finding.judged, finding.judged.proof
    return {
        "test": judged.test,
        "verdict": judged.verdict.value,
        "after": [list(group) for group in judged.after],
        "order": len(judged.order),
        "cleaners": list(judged.cleaners),
        "complete": judged.is_complete,
        "state": state_of(finding.carrier, finding.decided)
        if finding.is_carried
        else None,
        "proof": {
            "alone": _share(proof.alone),
            "after": _share(proof.after),
            "isolated": _share(proof.isolated),
            **({} if proof.reset is None else {"reset": _share(proof.reset)}),
            **({} if judged.replayed is None else {"same_order": str(judged.replayed)}),
        },
        "message": judged.message,
        "isolation_cures": judged.isolation_cures,
        "replay": finding.replay,
        "cost": {"runs": judged.cost.runs, "seconds": round(judged.cost.seconds, 3)},
    }


def _share(number: int | None) -> str | None:
    return None if number is None else f"{number}/{TIMES}"


def state_of(suspicion: Suspicion, decided: Decided) -> dict[str, Any]:
    """Return what carried a failure, as the public schema has it.

    ``together`` holds what is needed besides the first, ``or`` what is enough too.
    """
    state = _state(suspicion)
    if decided.groups:
        first, *others = decided.groups
        if first[1:]:
            state["together"] = [_state(each) for each in first[1:]]
        if others:
            state["or"] = [[_state(each) for each in group] for group in others]
    return state


def _named(conflict: Conflict) -> dict[str, str]:
    """Return the key as the user calls it, and ``made`` by his key function."""
    key, name = conflict.entry.key, conflict.name
    return {"key": name, "made": key} if name and name != key else {"key": key}


def _state(suspicion: Suspicion) -> dict[str, Any]:
    conflict, leaver, looker = suspicion
    what: dict[str, Any] = {
        "kind": "cache",
        "alias": conflict.alias,
        **_named(conflict),
        "version": conflict.entry.version,
    }
    if conflict.entry.is_memoised:
        what = {"kind": "memoised", "function": conflict.entry.key}
    return what | {
        "how": leaver.left.how.value,
        "written_at": leaver.site.at,
        "written_from": leaver.site.in_test,
        "read_at": looker.site.at,
        "read_from": looker.site.in_test,
    }


def bound(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what the runs of a report say about those that were not run."""
    clean = sum(not run["failed"] and run["end"] == End.FINISHED for run in runs)
    is_clean = clean == len(runs)
    return {
        "clean_runs": clean,
        "confidence": CONFIDENCE,
        "failure_rate_below": failure_rate_bound(clean, CONFIDENCE)
        if is_clean
        else None,
    }
