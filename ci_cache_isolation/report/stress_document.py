"""A stress run as ``report.json`` has it."""

from __future__ import annotations

from collections.abc import Collection
from typing import cast

from ci_cache_isolation.judging.proofs import Verdict
from ci_cache_isolation.report.document import (
    SCHEMA,
    bound,
    conflict_of,
    finding_of,
    tool,
)
from ci_cache_isolation.report.documents import CoverageRow, Document, RunRow
from ci_cache_isolation.running.jobs import End
from ci_cache_isolation.running.order_file import Cache
from ci_cache_isolation.running.shapes import (
    both,
    choice,
    either,
    exactly,
    fixed,
    flag,
    items,
    maybe,
    real,
    record,
    table,
    text,
    whole,
)
from ci_cache_isolation.stress.results import Run, StressResult

__all__ = ["SHAPE", "stress_document"]

_TEXTS = items(text)
_NAMED = either(
    record({"alias": text, "key": text}),
    record({"function": text, "written_at": maybe(text)}),
)
_STATE = both(
    _NAMED,
    record(
        {"written_at": maybe(text), "read_at": maybe(text)},
        {
            "how": maybe(text),
            "written_from": maybe(text),
            "read_from": maybe(text),
            "together": items(_NAMED),
            "or": items(items(_NAMED, least=1)),
        },
    ),
)
_SIDE = items(record({"test": text, "at": text}))
SHAPE = record(
    {
        "schema": exactly(SCHEMA),
        "command": exactly("stress"),
        "tool": record({"name": text, "version": text}),
        "suite": record({"runner": text, "tests": whole(), "settings": text}),
        "interrupted": flag,
        "runs": items(
            record(
                {
                    "index": whole(),
                    "kind": text,
                    "cache": choice(Cache),
                    "seconds": real(),
                    "end": choice(End),
                    "failed": _TEXTS,
                },
                {
                    "name": text,
                    "seed": maybe(whole()),
                    "passed": whole(),
                    "skipped": whole(),
                    "messages": table(text),
                },
            )
        ),
        "pairs": record(
            {
                "coverage": record(
                    {
                        "tests": whole(),
                        "ids": text,
                        "ranks": items(fixed(whole(), whole())),
                        "before": text,
                        "next_before": text,
                    }
                )
            },
            {"unreachable": maybe(whole(0, 2**62))},
        ),
        "conflicts": items(
            record(
                {
                    "alias": maybe(text),
                    "key": text,
                    "version": maybe(either(text, whole())),
                    "left_by": _SIDE,
                    "seen_by": _SIDE,
                }
            )
        ),
        "findings": items(
            record(
                {
                    "test": text,
                    "verdict": choice(Verdict),
                    "after": items(items(text, least=1)),
                    "cleaners": _TEXTS,
                    "state": maybe(_STATE),
                    "proof": record(
                        {"alone": text, "after": maybe(text), "isolated": maybe(text)},
                        {"reset": maybe(text), "same_order": maybe(text)},
                    ),
                    "isolation_cures": maybe(flag),
                    "replay": maybe(text),
                    "cost": record({"runs": whole(), "seconds": real()}),
                },
                {"order": whole(), "complete": flag, "message": text},
            )
        ),
        "failures": items(
            record(
                {
                    "test": text,
                    "flaky": flag,
                    "failed_in": items(whole()),
                    "passed_in": items(whole()),
                    "replay": maybe(text),
                }
            )
        ),
    },
    {
        "seed": maybe(whole()),
        "shard": maybe(text),
        "failure": text,
        "remarks": _TEXTS,
        "merged": whole(),
    },
)
"""What `stress_document` returns, as far as anybody reads it again."""


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
