"""A stress run as ``report.json`` has it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ci_cache_isolation.audit.proofs import TIMES
from ci_cache_isolation.report.document import bound, conflict_of, head, state_of
from ci_cache_isolation.stress.results import Finding, Run, StressResult

__all__ = ["stress_document"]


def stress_document(result: StressResult) -> dict[str, Any]:
    """Return a stress run as the public schema has it.

    ``conflicts`` are those that carried a failure, ``findings`` what was proved of each
    test, ``failures`` what was seen: which runs a test failed in, and in which not.
    """
    count = result.pairs.count()
    runs = [_run(run, result.collided) for run in result.runs]
    shard = result.shard
    findings = list(result.findings.values())
    suspicions = [
        suspicion
        for each in findings
        if each.suspicion is not None
        for group in each.decided.groups or ((each.suspicion,),)
        for suspicion in group
    ]
    conflicts = {each.conflict.entry: each.conflict for each in suspicions}
    return {
        **head("stress"),
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
            "coverage": result.pairs.to_json(),
        },
        "bound": bound(runs),
        "conflicts": [conflict_of(each) for each in conflicts.values()],
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
    }


def _finding(finding: Finding) -> dict[str, Any]:
    judged = finding.judged
    proof = {
        name: None if number is None else f"{number}/{TIMES}"
        for name, number in (
            ("alone", judged.proof.alone),
            ("after", judged.proof.after),
            ("isolated", judged.proof.isolated),
        )
    }
    if judged.proof.reset is not None:
        proof["reset"] = f"{judged.proof.reset}/{TIMES}"
    if judged.replayed is not None:
        proof["same_order"] = f"{judged.replayed.failed}/{judged.replayed.runs}"
    return {
        "test": judged.test,
        "verdict": judged.verdict.value,
        "after": [list(group) for group in judged.after],
        "order": len(judged.order),
        "cleaners": list(judged.cleaners),
        "complete": judged.is_complete,
        "state": None
        if finding.suspicion is None
        else state_of(finding.suspicion, finding.decided),
        "proof": proof,
        "message": judged.message,
        "isolation_cures": judged.isolation_cures,
        "replay": finding.replay,
        "cost": {"runs": judged.cost.runs, "seconds": round(judged.cost.seconds, 3)},
    }


def _run(run: Run, collided: Collection[str]) -> dict[str, Any]:
    return {
        "index": run.step.index,
        "name": run.step.name,
        "kind": run.step.kind.value,
        "seed": run.step.seed,
        "reversed": run.step.reverse,
        "cache": run.cache.value,
        "processes": run.step.processes,
        "seconds": run.seconds,
        "end": run.end.value,
        "passed": len(run.passed),
        "skipped": len(run.skipped),
        "failed": [test for test in run.failed if test not in collided],
        "collided": [test for test in run.failed if test in collided],
        "messages": dict(run.messages),
    }
