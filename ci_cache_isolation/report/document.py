"""``report.json``: one versioned function from a result to JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ci_cache_isolation.audit.conflicts import Conflict
from ci_cache_isolation.audit.engine import AuditResult, Finding
from ci_cache_isolation.audit.proofs import TIMES
from ci_cache_isolation.running.output import shown, shown_path
from ci_cache_isolation.stress.chance import CONFIDENCE, failure_rate_bound
from ci_cache_isolation.stress.engine import Replay, StressResult
from ci_cache_isolation.stress.results import End, Run

__all__ = [
    "SCHEMA",
    "audit_document",
    "replay_command",
    "stress_document",
    "write",
]

SCHEMA = 1


def stress_document(result: StressResult) -> dict[str, Any]:
    """Return a stress run as the public schema has it.

    ``conflicts`` and ``findings`` hold what is proved, so nothing yet: which test is
    whose polluter is not asked. ``failures`` is what was seen: a test that failed, in
    which runs, in which not, and the command that shows it again, once it did.
    """
    pairs = result.pairs
    return {
        **_head("stress"),
        "suite": {
            "runner": result.runner,
            "tests": len(result.tests),
            "settings": result.settings,
        },
        "seed": result.seed,
        "interrupted": result.is_interrupted,
        "runs": [_run(run) for run in result.runs],
        "pairs": {
            "total": pairs.total,
            "covered": pairs.covered,
            "adjacent": pairs.adjacent,
            "unreachable": pairs.unreachable,
        },
        "bound": _bound(result.runs),
        "conflicts": [],
        "findings": [],
        "failures": [
            {
                "test": each.test,
                "flaky": each.is_flaky,
                "failed_in": [run.step.index for run in each.failed_in],
                "passed_in": [run.step.index for run in each.passed_in],
                "replay": next(
                    (
                        replay_command(replay)
                        for replay in result.replays
                        if each.test in replay.shown
                    ),
                    None,
                ),
            }
            for each in result.failing
        ],
    }


def audit_document(result: AuditResult, settings: str) -> dict[str, Any]:
    """Return an audit as the public schema has it.

    ``conflicts`` are all that were seen, ``findings`` those that were proved.
    """
    tests = len(result.audited.tests)
    return {
        **_head("audit"),
        "suite": {"runner": result.runner, "tests": tests, "settings": settings},
        "interrupted": result.is_interrupted,
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
        "conflicts": [_conflict(each) for each in result.audited.conflicts],
        "findings": [_finding(each, result) for each in result.findings],
    }


def replay_command(replay: Replay) -> str:
    """Return the command that runs an order again, as one types it where one stands."""
    return shown(["cache-isolation", "replay", shown_path(replay.path)])


def write(document: dict[str, Any], path: Path) -> None:
    """Write a report: whole or not at all, for whoever reads it meanwhile."""
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    partial.replace(path)


def _head(command: str) -> dict[str, Any]:
    tool = {"name": "ci-cache-isolation", "version": version("ci-cache-isolation")}
    return {"schema": SCHEMA, "command": command, "tool": tool}


def _conflict(conflict: Conflict) -> dict[str, Any]:
    return {
        "alias": conflict.alias,
        "key": conflict.entry.key,
        "version": conflict.entry.version,
        "left_by": [
            {"test": each.actor.test, "at": each.site.at, "how": each.left.how.value}
            for each in conflict.left_by
        ],
        "seen_by": [
            {"test": each.actor.test, "at": each.site.at, "hit": each.look.hit}
            for each in conflict.seen_by
        ],
    }


def _finding(finding: Finding, result: AuditResult) -> dict[str, Any]:
    confirmed, proof = finding.confirmed, finding.confirmed.proof
    conflict, leaver, looker = finding.suspicion
    return {
        "test": confirmed.test,
        "verdict": confirmed.verdict.value,
        "after": [list(group) for group in confirmed.after],
        "cleaners": [],
        "state": {
            "kind": "cache",
            "alias": conflict.alias,
            "key": conflict.entry.key,
            "version": conflict.entry.version,
            "written_at": leaver.site.at,
            "read_at": looker.site.at,
        },
        "proof": {
            "alone": f"{proof.alone}/{TIMES}",
            "after": f"{proof.after}/{TIMES}",
            "isolated": f"{proof.isolated}/{TIMES}",
        },
        "message": confirmed.message,
        "isolation_cures": proof.isolated == 0,
        "replay": finding.replay,
        "cost": {
            "runs": result.confirmed_runs,
            "seconds": round(result.confirmed_seconds, 3),
        },
    }


def _run(run: Run) -> dict[str, Any]:
    return {
        "index": run.step.index,
        "kind": run.step.kind.value,
        "seed": run.step.seed,
        "reversed": run.step.reverse,
        "cache": run.cache.value,
        "processes": run.step.processes,
        "seconds": run.seconds,
        "end": run.end.value,
        "passed": len(run.passed),
        "skipped": len(run.skipped),
        "failed": list(run.failed),
    }


def _bound(runs: Sequence[Run]) -> dict[str, Any]:
    clean = sum(not run.failed and run.end is End.FINISHED for run in runs)
    is_clean = clean == len(runs)
    return {
        "clean_runs": clean,
        "confidence": CONFIDENCE,
        "failure_rate_below": failure_rate_bound(clean) if is_clean else None,
    }
