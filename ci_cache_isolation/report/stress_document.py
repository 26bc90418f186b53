"""A stress run as ``report.json`` has it."""

from __future__ import annotations

from collections.abc import Collection
from typing import cast

from ci_cache_isolation.report.document import (
    SCHEMA,
    bound,
    conflict_of,
    finding_of,
    tool,
)
from ci_cache_isolation.report.documents import CoverageRow, Document, RunRow
from ci_cache_isolation.stress.results import Run, StressResult

__all__ = ["stress_document"]


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
        "tool": tool(),
        "suite": {
            "runner": result.runner,
            "tests": len(result.tests),
            "settings": result.settings,
        },
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
        "conflicts": [conflict_of(each) for each in conflicts.values()],
        "findings": [finding_of(each) for each in findings],
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
    }


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
