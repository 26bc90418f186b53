"""Several reports of one suite made into one: those of shards, or of several nights.

What was run is put one after the other, pairs are united exactly, bounds are computed
anew. What was found out about a test is united too; where two reports say different
things, the one with the better proof is right.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import chain, combinations
from typing import Any, TypedDict, cast

from ci_cache_isolation.errors import IsolationError
from ci_cache_isolation.judging.proofs import TIMES
from ci_cache_isolation.judging.verdicts import Verdict
from ci_cache_isolation.report.document import SCHEMA, bound
from ci_cache_isolation.report.documents import (
    CoverageRow,
    Document,
    FailureRow,
    RunRow,
)
from ci_cache_isolation.running.json_files import FileError, as_type, checked_object
from ci_cache_isolation.stress.pairs import CoverageError, Pairs
from ci_cache_isolation.stress.results import End

__all__ = ["MergeError", "merged"]

Loaded = Mapping[str, Any]
"""A report as it was read; those of earlier versions lack some of it."""

_NO_REPORT = (
    "{name} can't be merged: {found}. Only reports that 'cache-isolation stress' of "
    "this version wrote say what they cover. Name their report.json files."
)
_DIFFERENT = (
    "{name} and {other} can't be merged: {what} is {found} in the one, {expected} in "
    "the other. What holds for both would hold for neither. "
    "Merge reports of the same suite, settings, versions and --cache only."
)
_TWICE = (
    "{name} and {other} are the same report. Its runs would be counted twice. "
    "Name each report once."
)
_SAME = {
    ("tool", "name"): "the tool",
    ("tool", "version"): "the tool's version",
    ("suite", "runner"): "--runner",
    ("suite", "tests"): "the number of tests",
    ("suite", "settings"): "the settings module",
}
"""What all reports have in common: where it stands in them, and its name."""
_CHANCE = 9
_NEVER, _ALWAYS = f"0/{TIMES}", f"{TIMES}/{TIMES}"


class _Covering(TypedDict):
    coverage: CoverageRow


class _Ended(TypedDict):
    end: End


class _OfStress(TypedDict):
    """What `merge` needs, and only reports of stress hold."""

    failures: list[FailureRow]
    pairs: _Covering
    runs: list[_Ended]


class MergeError(IsolationError):
    """Reports that say nothing about each other, or are none."""

    slug = "merge"


def merged(reports: Sequence[tuple[str, Loaded]]) -> Document:
    """Return one report for several, each given with the name of its file.

    `MergeError` says which of them don't belong together, and why.
    """
    if not reports:
        raise MergeError(
            "No report was named, so there is nothing to merge. "
            "Name the report.json files of the shards."
        )
    covered = [_coverage(name, document) for name, document in reports]
    for (name, document), (other, same) in combinations(reports, 2):
        if document == same:
            raise MergeError(_TWICE.format(name=name, other=other))
    # One that was interrupted before its first run ended knows nothing.
    known = [
        (name, document, pairs)
        for (name, document), pairs in zip(reports, covered, strict=True)
        if document["runs"]
    ]
    whole = {
        "interrupted": any(document["interrupted"] for _, document in reports),
        # Reports of earlier versions don't have it.
        "failure": " ".join(
            _distinct(each["failure"] for _, each in reports if each.get("failure"))
        ),
        "complete": all(each.get("complete", True) for _, each in reports),
        "merged": len(reports),
        "remarks": _distinct(
            remark for _, each in reports for remark in each.get("remarks", ())
        ),
    }
    if not known:
        return cast("Document", {**reports[0][1], **whole})
    (first, head, pairs), *others = known
    for name, document, more in others:
        _check_same(first, head, name, document)
        try:
            pairs.unite(more)
        except CoverageError:
            raise _different(
                "the list of tests", first, "one", name, "another"
            ) from None
    documents = [document for _, document, _ in known]
    runs, places = _runs(documents)
    failures = _failures(documents, places)
    passed = {each["test"] for each in failures if each["passed_in"]}
    seeds = {document.get("seed") for document in documents}
    united = {
        **head,
        "seed": seeds.pop() if len(seeds) == 1 else None,
        "shard": _united_shard(documents),
        **whole,
        "runs": runs,
        "pairs": _pairs(pairs, documents),
        "bound": bound(cast("list[RunRow]", runs)),
        "conflicts": _conflicts(documents),
        "findings": _findings(documents, passed),
        "failures": failures,
        # One shard has them.
        "traces": next(
            (each["traces"] for each in documents if each.get("traces")), []
        ),
    }
    return cast("Document", united)


def _coverage(name: str, document: Loaded) -> Pairs:
    """Return what a report covers; it has all that is asked for below."""
    try:
        # What it is comes before what is wrong with it.
        checked_object(document, schema=SCHEMA, command="stress")
        as_type(document, Document)
        as_type(document, _OfStress)
        _check(document)
        return Pairs.from_json(document["pairs"]["coverage"])
    except (FileError, CoverageError) as error:
        raise MergeError(_NO_REPORT.format(name=name, found=error)) from None


def _check(document: Loaded) -> None:
    """Have it hold what no type says."""
    for place, finding in enumerate(document["findings"]):
        if (state := finding["state"]) is None:
            continue
        others = chain(state.get("together", ()), *state.get("or", ()))
        if "written_at" not in state or not all(map(_is_named, (state, *others))):
            raise FileError(f"no place or no name - at `$.findings[{place}].state`")
    indices = {run["index"] for run in document["runs"]}
    for each in document["failures"]:
        if unknown := {*each["failed_in"], *each["passed_in"]} - indices:
            raise FileError(f"there is no run {min(unknown)}")


_NAMES = ("function", "name")


def _is_named(state: Loaded) -> bool:
    return "key" in state if "alias" in state else not state.keys().isdisjoint(_NAMES)


def _check_same(first: str, head: Loaded, name: str, document: Loaded) -> None:
    for (part, key), what in _SAME.items():
        expected, found = head[part].get(key), document[part].get(key)
        if expected != found:
            raise _different(what, first, expected, name, found)
    caches, others = (
        " and ".join(sorted({run["cache"] for run in each["runs"]}))
        for each in (head, document)
    )
    if caches != others:
        raise _different("--cache", first, caches, name, others)


def _different(
    what: str, first: str, expected: object, name: str, found: object
) -> MergeError:
    text = _DIFFERENT.format(
        name=name, other=first, what=what, found=found, expected=expected
    )
    return MergeError(text)


def _united_shard(documents: Sequence[Loaded]) -> str | None:
    """Return 1/1 for the whole of a plan, and nothing for anything else."""
    shards = [document.get("shard") for document in documents]
    of = len(shards)
    whole = {f"{number}/{of}" for number in range(1, of + 1)}
    seeds = {document.get("seed") for document in documents}
    return "1/1" if set(shards) == whole and len(seeds) == 1 else None


def _runs(
    documents: Sequence[Loaded],
) -> tuple[list[dict[str, Any]], dict[tuple[int, int], int]]:
    """Return all runs in the plan's sequence, and where each one came to stand."""
    ordered = sorted(
        (run["index"], number, place)
        for number, document in enumerate(documents)
        for place, run in enumerate(document["runs"])
    )
    runs, places = [], {}
    for at, (index, number, place) in enumerate(ordered):
        runs.append({**documents[number]["runs"][place], "index": at})
        places[number, index] = at
    return runs, places


def _pairs(pairs: Pairs, documents: Sequence[Loaded]) -> dict[str, Any]:
    count = pairs.count()
    # By the ranks, or as a shard that ran both ways has seen it.
    unreachable = max(
        [count.unreachable or 0]
        + [document["pairs"].get("unreachable") or 0 for document in documents]
    )
    return {
        "total": count.total,
        "covered": count.covered,
        "adjacent": count.adjacent,
        "unreachable": min(unreachable, count.total - count.covered),
        "coverage": pairs.to_json(),
    }


def _failures(
    documents: Sequence[Loaded],
    places: Mapping[tuple[int, int], int],
) -> list[dict[str, Any]]:
    """Return all tests that failed, flaky ones first.

    A report that does not name a test has not seen it fail: there it passed in every
    run that came to its end.
    """
    united: dict[str, dict[str, Any]] = {}
    for number, document in enumerate(documents):
        for each in document["failures"]:
            known = united.setdefault(
                each["test"], {"failed": set(), "passed": set(), "replay": None}
            )
            known["failed"] |= {places[number, at] for at in each["failed_in"]}
            known["passed"] |= {places[number, at] for at in each["passed_in"]}
            known["replay"] = known["replay"] or each["replay"]
    for number, document in enumerate(documents):
        named = {each["test"] for each in document["failures"]}
        ended = {
            places[number, run["index"]]
            for run in document["runs"]
            if run["end"] == End.FINISHED
        }
        for test, known in united.items():
            if test not in named:
                known["passed"] |= ended
    failures = [
        {
            "test": test,
            "flaky": bool(known["passed"]),
            "failed_in": sorted(known["failed"]),
            "passed_in": sorted(known["passed"]),
            "replay": known["replay"],
        }
        for test, known in united.items()
    ]
    return sorted(failures, key=lambda each: not each["flaky"])


def _conflicts(documents: Sequence[Loaded]) -> list[dict[str, Any]]:
    united: dict[tuple[Any, ...], dict[str, Any]] = {}
    for document in documents:
        for each in document["conflicts"]:
            key = each.get("made", each["key"])
            entry = each["alias"], key, each["version"]
            known = united.setdefault(entry, {**each, "left_by": [], "seen_by": []})
            for side in ("left_by", "seen_by"):
                known[side] = _distinct([*known[side], *each[side]])
    return list(united.values())


def _findings(documents: Sequence[Loaded], passed: set[str]) -> list[dict[str, Any]]:
    united: dict[str, list[dict[str, Any]]] = {}
    for document in documents:
        for each in document["findings"]:
            united.setdefault(each["test"], []).append(each)
    return [_united(each, has_passed=test in passed) for test, each in united.items()]


def _united(findings: Sequence[dict[str, Any]], *, has_passed: bool) -> dict[str, Any]:
    best = max(findings, key=_weight)
    same = [each for each in findings if each["verdict"] == best["verdict"]]
    verdict = Verdict(best["verdict"])
    if verdict is Verdict.BROKEN and has_passed:
        # It failed in all runs of one report, and passed in another's.
        verdict = Verdict.BRITTLE
    alone = {each["proof"]["alone"] for each in findings}
    if {_NEVER, _ALWAYS} <= alone:
        # The same test, alone: what is so here and otherwise there is no order's fault.
        verdict, same = Verdict.NON_DETERMINISTIC, [{**best, "after": []}]
    groups = _distinct(group for each in same for group in each["after"])
    after = [
        group
        for group in groups
        if not any(set(other) < set(group) for other in groups)
    ]
    return {
        **best,
        "verdict": verdict,
        "after": after,
        "cleaners": _distinct(test for each in same for test in each["cleaners"]),
        "complete": any(each.get("complete") for each in same),
        "state": _first(each["state"] for each in [best, *same]),
        "isolation_cures": _first(each["isolation_cures"] for each in [best, *same]),
        "replay": _first(each["replay"] for each in [best, *same]),
        "cost": {
            "runs": sum(each["cost"]["runs"] for each in findings),
            "seconds": round(sum(each["cost"]["seconds"] for each in findings), 3),
        },
    }


def _weight(finding: Loaded) -> tuple[int, bool, bool]:
    """Say how much a finding is worth: chance that was seen, alone, beats all."""
    verdict, proof = Verdict(finding["verdict"]), finding["proof"]
    is_chance = proof["alone"] not in {_NEVER, _ALWAYS}
    weight = _CHANCE if is_chance else verdict.weight
    return weight, bool(finding["after"]), proof["isolated"] is not None


def _first(values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def _distinct(values: Any) -> list[Any]:
    known = {json.dumps(value, sort_keys=True): value for value in values}
    return list(known.values())
