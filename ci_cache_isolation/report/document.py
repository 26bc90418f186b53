"""``report.json``: what an audit or a stress run came to, as the schema has it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from importlib.metadata import version
from typing import Final, cast

from ci_cache_isolation.audit.result import AuditResult
from ci_cache_isolation.evidence.conflicts import Conflict, Suspicion
from ci_cache_isolation.evidence.hashing import is_hashed
from ci_cache_isolation.evidence.patterns import pattern_of
from ci_cache_isolation.judging.carrier import Carried
from ci_cache_isolation.judging.chance import CONFIDENCE, failure_rate_bound
from ci_cache_isolation.judging.finding import Finding
from ci_cache_isolation.judging.judged import Judged
from ci_cache_isolation.judging.proofs import TIMES
from ci_cache_isolation.report.cards import cards
from ci_cache_isolation.report.documents import (
    BoundRow,
    ConflictRow,
    CoverageRow,
    Document,
    FindingRow,
    ProofRow,
    RunRow,
    StateRow,
    SuiteRow,
    ToolRow,
    TraceRow,
)
from ci_cache_isolation.running.jobs import End
from ci_cache_isolation.running.order_file import Cache
from ci_cache_isolation.stress.plan import Kind
from ci_cache_isolation.stress.results import Run, StressResult

__all__ = ["SCHEMA", "audit_document", "bound", "stress_document"]

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
        "tool": _tool(),
        "suite": _suite(result, tests),
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
            {**_conflict(each), "result": standing.value}
            for each, standing in result.come_to()
        ],
        "findings": [
            {**finding, "cause": number}
            for number, card in enumerate(cards(map(_finding, result.findings)), 1)
            for finding in card.findings
        ],
        "cost": {
            "runs": result.confirmed_runs,
            "seconds": round(result.confirmed_seconds, 3),
        },
    }


def stress_document(result: StressResult) -> Document:
    """Return a stress run as the public schema has it.

    ``conflicts`` are those that carried a failure, ``findings`` what was proved of each
    test, ``failures`` what was seen: which runs a test failed in, and in which not.
    """
    count = result.pairs.count()
    runs = [_run(run, result.collided) for run in result.runs]
    shard = result.shard
    findings = list(result.findings.values())
    conflicts = {
        entry: suspicion.conflict
        for each in findings
        for entry, suspicion in each.carrying.items()
    }
    return {
        "schema": SCHEMA,
        "command": "stress",
        "tool": _tool(),
        "suite": _suite(result, len(result.tests)),
        "seed": result.seed,
        "shard": f"{shard.number}/{shard.of}",
        "interrupted": result.is_interrupted,
        "complete": result.is_complete and not result.unjudged,
        "failure": result.failure,
        "remarks": list(result.remarks),
        "runs": runs,
        "pairs": {
            "total": count.total,
            "covered": count.covered,
            "adjacent": count.adjacent,
            "unreachable": count.unreachable,
            "coverage": cast("CoverageRow", result.pairs.to_json()),
        },
        "bound": bound(runs),
        "conflicts": [_conflict(each) for each in conflicts.values()],
        "findings": [_finding(each) for each in findings],
        "failures": [
            {
                "test": each.test,
                "flaky": each.is_flaky,
                "failed_in": [run.step.index for run in each.failed_in],
                "passed_in": [run.step.index for run in each.passed_in],
                "replay": found.replay
                if (found := result.findings.get(each.test))
                else None,
            }
            for each in result.failing
        ],
        "traces": _traces(result),
    }


def _traces(result: StressResult) -> list[TraceRow]:
    """Return what tests leave, what matters to most of them first."""
    victims = Counter(
        trace.name
        for each in result.findings.values()
        if each.carried is not None
        for trace in each.carried.traces
    )
    left: Counter[str] = Counter()
    for each in result.left:
        left[each.name] += each.tests
    rows: list[TraceRow] = [
        {"name": name, "left_by": number, "victims": victims[name]}
        for name, number in left.items()
    ]
    return sorted(rows, key=lambda row: (-row["victims"], -row["left_by"], row["name"]))


def _run(run: Run, collided: Collection[str]) -> RunRow:
    return {
        "index": run.step.index,
        "name": run.step.name,
        "kind": run.step.kind,
        "seed": run.step.seed,
        "reversed": run.step.reverse,
        "cache": run.cache,
        "processes": run.step.processes,
        "seconds": run.seconds,
        "end": run.end,
        "passed": len(run.passed),
        "skipped": len(run.skipped),
        "failed": [test for test in run.failed if test not in collided],
        "collided": [test for test in run.failed if test in collided],
        "messages": dict(run.messages),
    }


def _tool() -> ToolRow:
    return {"name": "ci-cache-isolation", "version": version("ci-cache-isolation")}


def _suite(result: AuditResult | StressResult, tests: int) -> SuiteRow:
    return {"runner": result.runner, "tests": tests, "settings": result.settings}


def _conflict(conflict: Conflict) -> ConflictRow:
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
                "called_at": each.site.in_test,
                "how": each.left.how,
                "expires_in": each.expires_soon_in,
            }
            for each in conflict.left_by[:listed]
        ],
        "seen_by": [
            {
                "test": each.actor.test,
                "at": each.site.at,
                "called_at": each.site.in_test,
                "hit": each.look.hit,
            }
            for each in conflict.seen_by[:listed]
        ],
    }
    if row["key"] != key:
        row["made"] = key
    return row


def _finding(finding: Finding) -> FindingRow:
    judged = finding.judged
    state = _carried(finding)
    return {
        "test": judged.test,
        "verdict": judged.verdict,
        "after": [list(group) for group in judged.after],
        "order": len(judged.order),
        "cleaners": list(judged.cleaners),
        "complete": judged.is_complete,
        "state": state if finding.is_carried else None,
        "suspected": None if finding.is_carried else state,
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


def _carried(finding: Finding) -> StateRow | None:
    """Return what carried a failure, or what the tests have in common.

    ``together`` holds what is needed besides the first, ``or`` what is enough too.
    """
    if finding.carried is not None:
        return _left(finding.carried)
    if finding.suspicion is None:
        return None
    state = _state(finding.suspicion)
    if finding.decided.groups:
        first, *others = finding.decided.groups
        if first[1:]:
            state["together"] = [_state(each) for each in first[1:]]
        if others:
            state["or"] = [[_state(each) for each in group] for group in others]
    return state


def _left(carried: Carried) -> StateRow:
    first = carried.first
    state: StateRow = {
        "kind": "state",
        "name": first.name,
        "how": first.how,
        "was": first.was,
        "became": first.became,
        "written_at": first.at or None,
        "read_at": None,
        "put_back": f"{carried.put_back}/{TIMES}",
        "cure": list(carried.cure),
    }
    if others := carried.traces[1:]:
        state["together"] = [{"name": each.name} for each in others]
    return state


def _state(suspicion: Suspicion) -> StateRow:
    conflict, leaver, looker = suspicion
    key = conflict.entry.key
    is_memoised = conflict.entry.is_memoised
    state: StateRow = {
        "kind": "memoised" if is_memoised else "cache",
        "how": leaver.left.how,
        "written_at": leaver.site.at,
        "written_from": leaver.site.in_test,
        "read_at": looker.site.at,
        "read_from": looker.site.in_test,
        "expires_in": leaver.expires_soon_in,
    }
    if is_memoised:
        return {**state, "function": key}
    state |= {
        "alias": conflict.alias,
        "key": conflict.name or key,
        "version": conflict.entry.version,
    }
    if conflict.name not in {"", key}:
        state["made"] = key
    return state


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
