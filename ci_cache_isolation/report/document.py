"""``report.json``: one versioned function from a result to JSON."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import Final, cast

from ci_cache_isolation.audit.causes import by_cause
from ci_cache_isolation.audit.result import AuditResult
from ci_cache_isolation.evidence.conflicts import Conflict, Suspicion
from ci_cache_isolation.evidence.hashing import is_hashed
from ci_cache_isolation.evidence.patterns import pattern_of
from ci_cache_isolation.judging.chance import CONFIDENCE, failure_rate_bound
from ci_cache_isolation.judging.deciding_entry import Decided
from ci_cache_isolation.judging.finding import Finding
from ci_cache_isolation.judging.judged import Judged
from ci_cache_isolation.judging.proofs import TIMES
from ci_cache_isolation.report.documents import (
    BoundRow,
    Carried,
    ConflictRow,
    Document,
    EntryRow,
    FindingRow,
    ProofRow,
    RunRow,
    StateRow,
    ToolRow,
)
from ci_cache_isolation.running.jobs import End
from ci_cache_isolation.running.order_file import Cache
from ci_cache_isolation.stress.plan import Kind

__all__ = [
    "SCHEMA",
    "audit_document",
    "bound",
    "conflict_of",
    "finding_of",
    "state_of",
    "tool",
]

SCHEMA: Final = 1
_LISTED_CALLERS = 50


def audit_document(result: AuditResult) -> Document:
    """Return an audit as the public schema has it.

    ``conflicts`` are all that were seen, ``findings`` those that were proved.
    """
    tests = len(result.audited.tests)
    return {
        "schema": SCHEMA,
        "command": "audit",
        "tool": tool(),
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
                "kind": Kind.FORWARD,
                "seed": None,
                "cache": Cache.ISOLATED,
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


def tool() -> ToolRow:
    """Return what writes the report."""
    return {"name": "ci-cache-isolation", "version": version("ci-cache-isolation")}


def conflict_of(conflict: Conflict) -> ConflictRow:
    """Return a conflict as the public schema has it."""
    key, has_pattern = conflict.entry.key, not conflict.entry.is_memoised
    # What half of the tests call would fill the report with nothing but their names.
    listed = _LISTED_CALLERS if conflict.is_common else None
    row: ConflictRow = {
        "alias": conflict.alias,
        "key": conflict.name or key,
        "pattern": pattern_of(key) if has_pattern and not is_hashed(key) else None,
        "version": conflict.entry.version,
        "left_by": [
            {
                "test": each.actor.test,
                "at": each.site.at,
                "how": each.left.how,
                "expires_in": each.expires_soon_in,
            }
            for each in conflict.left_by[:listed]
        ],
        "seen_by": [
            {"test": each.actor.test, "at": each.site.at, "hit": each.look.hit}
            for each in conflict.seen_by[:listed]
        ],
    }
    if row["key"] != key:
        row["made"] = key
    return row


def finding_of(finding: Finding) -> FindingRow:
    """Return a finding as the public schema has it."""
    judged = finding.judged
    return {
        "test": judged.test,
        "verdict": judged.verdict,
        "after": [list(group) for group in judged.after],
        "order": len(judged.order),
        "cleaners": list(judged.cleaners),
        "complete": judged.is_complete,
        "state": state_of(finding.carrier, finding.decided)
        if finding.is_carried
        else None,
        "proof": _proof(judged),
        "message": judged.message,
        "isolation_cures": judged.isolation_cures,
        "replay": finding.replay,
        "cost": {"runs": judged.cost.runs, "seconds": round(judged.cost.seconds, 3)},
    }


def _proof(judged: Judged) -> ProofRow:
    proof = judged.proof
    row: ProofRow = {
        "alone": f"{proof.alone}/{TIMES}",
        "after": None if proof.after is None else f"{proof.after}/{TIMES}",
        "isolated": None if proof.isolated is None else f"{proof.isolated}/{TIMES}",
    }
    if proof.reset is not None:
        row["reset"] = f"{proof.reset}/{TIMES}"
    if judged.replayed is not None:
        row["same_order"] = str(judged.replayed)
    return row


def state_of(suspicion: Suspicion, decided: Decided) -> StateRow:
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


def _state(suspicion: Suspicion) -> StateRow:
    conflict, leaver, looker = suspicion
    key = conflict.entry.key
    where: Carried = {
        "how": leaver.left.how,
        "written_at": leaver.site.at,
        "written_from": leaver.site.in_test,
        "read_at": looker.site.at,
        "read_from": looker.site.in_test,
    }
    if conflict.entry.is_memoised:
        return {**where, "kind": "memoised", "function": key}
    entry = {
        **where,
        "kind": "cache",
        "alias": conflict.alias,
        "key": conflict.name or key,
        "version": conflict.entry.version,
    }
    if conflict.name not in {"", key}:
        entry["made"] = key
    return cast("EntryRow", entry)


def bound(runs: Sequence[RunRow]) -> BoundRow:
    """Return what the runs of a report say about those that were not run."""
    clean = sum(not run["failed"] and run.get("end") == End.FINISHED for run in runs)
    is_clean = clean == len(runs)
    return {
        "clean_runs": clean,
        "confidence": CONFIDENCE,
        "failure_rate_below": failure_rate_bound(clean, CONFIDENCE)
        if is_clean
        else None,
    }
