"""Which lines of the package each test of a level runs, in all its processes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Lines", "Reach", "TestReach"]

Lines = Mapping[str, frozenset[int]]
"""Numbers of lines by path."""


@dataclass(frozen=True, slots=True)
class TestReach:
    """What one test runs, and how long it takes."""

    __test__ = False

    seconds: float
    lines: Lines


@dataclass(frozen=True, slots=True)
class Reach:
    """A level's tests that pass, and those left out because they don't, with why."""

    tests: Mapping[str, TestReach]
    left_out: Mapping[str, str]

    @classmethod
    def read(cls, path: Path) -> Reach:
        """Read what `write` wrote."""
        kept = json.loads(path.read_text())
        tests = {
            test: TestReach(
                each["seconds"],
                {name: _unpacked(packed) for name, packed in each["lines"].items()},
            )
            for test, each in kept["tests"].items()
        }
        return cls(tests, kept["left_out"])

    def write(self, path: Path) -> None:
        """Keep it in a file."""
        tests = {
            test: {
                "seconds": each.seconds,
                "lines": {name: _packed(found) for name, found in each.lines.items()},
            }
            for test, each in self.tests.items()
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps({"tests": tests, "left_out": dict(self.left_out)}))
        fresh.replace(path)


def _packed(numbers: Iterable[int]) -> str:
    """Write 1, 2, 3, 7 as "1-3,7"."""
    spans: list[list[int]] = []
    for number in sorted(numbers):
        if spans and spans[-1][1] == number - 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ",".join(
        f"{first}-{last}" if first < last else str(first) for first, last in spans
    )


def _unpacked(text: str) -> frozenset[int]:
    numbers: set[int] = set()
    for span in filter(None, text.split(",")):
        first, _, last = span.partition("-")
        numbers.update(range(int(first), int(last or first) + 1))
    return frozenset(numbers)
