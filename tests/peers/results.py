"""What became of each test of a run: read from a record or from JUnit's XML."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

__all__ = [
    "Outcome",
    "Result",
    "Run",
    "Unreadable",
    "from_junit",
    "recorded",
    "without_marker",
]


class Outcome(Enum):
    """What became of a test. The later ones outweigh those before them."""

    ABSENT = "absent"
    PASSED = "passed"
    SKIPPED = "skipped"
    FAILED = "failed"


class Result(NamedTuple):
    """One test's outcome, and the reason where it did not pass."""

    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """What became of each test, and how many seconds all of them took."""

    results: dict[str, Result]
    seconds: float


class Unreadable(Exception):  # noqa: N818 - it is what was found
    """A record that isn't there, is cut off, or holds no test."""


def recorded(path: Path) -> dict[str, Result]:
    """Read what ``inside/recorder.py`` wrote: a JSON list a test, and ``null`` last."""
    try:
        lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    except (OSError, ValueError) as error:
        raise Unreadable(f"no record: {error}") from error
    if not lines or lines.pop() is not None:
        raise Unreadable("the run did not come to its end")
    return _by_test(
        (test, Result(Outcome(word), reason)) for test, word, reason in lines
    )


def from_junit(path: Path) -> dict[str, Result]:
    """Read what pytest wrote. A test that fails twice is there twice."""
    try:
        root = ET.parse(path).getroot()
    except (OSError, ET.ParseError) as error:
        raise Unreadable(f"no record: {error}") from error
    return _by_test(
        (f"{case.get('classname')}.{case.get('name')}", _of_case(case))
        for case in root.iter("testcase")
    )


def without_marker(results: dict[str, Result], marker: str) -> dict[str, Result]:
    """Take a parameter that all tests share, the first or only one, out of names."""
    if not marker:
        return results
    return {
        test.replace(f"[{marker}]", "").replace(f"[{marker}-", "["): result
        for test, result in results.items()
    }


def _of_case(case: ET.Element) -> Result:
    for tag, outcome in {
        "failure": Outcome.FAILED,
        "error": Outcome.FAILED,
        "skipped": Outcome.SKIPPED,
    }.items():
        found = case.find(tag)
        if found is not None:
            return Result(outcome, found.get("message") or "")
    return Result(Outcome.PASSED)


def _by_test(pairs: Iterable[tuple[str, Result]]) -> dict[str, Result]:
    order = list(Outcome)
    found: dict[str, Result] = {}
    for test, result in pairs:
        before = found.get(test, Result(Outcome.ABSENT))
        if order.index(result.outcome) > order.index(before.outcome):
            found[test] = result
    if not found:
        raise Unreadable("no test ran")
    return found
