"""What isolation changes in a suite: pure, and held against what is expected."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from tests.peers.results import Outcome, Result, Run

__all__ = ["Comparison", "Difference", "Expected", "compare", "read_expected"]


@dataclass(frozen=True, slots=True)
class Difference:
    """A test that comes to something else with isolation, and why it says it does."""

    test: str
    without: Outcome
    isolated: Outcome
    reason: str

    def __str__(self) -> str:
        return f"{self.test}: {self.without.value}, isolated: {self.isolated.value}"


@dataclass(frozen=True, slots=True)
class Expected:
    """A difference that is accepted: an entry of ``expected.toml``.

    ``suites`` are patterns as of the shell, ``opt_out`` is what a user writes who needs
    the test to come to the same as without.
    """

    suites: tuple[str, ...]
    test: str
    without: Outcome
    isolated: Outcome
    why: str
    opt_out: str

    def is_of(self, suite: str) -> bool:
        """Return whether a suite is meant."""
        return any(fnmatchcase(suite, pattern) for pattern in self.suites)

    def matches(self, difference: Difference) -> bool:
        """Return whether this difference is the one that is meant."""
        return (self.test, self.without, self.isolated) == (
            difference.test,
            difference.without,
            difference.isolated,
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """A suite without isolation and with it.

    ``unstable`` tests came to several things without isolation, ``unsteady`` ones came
    to several things only with it. ``gone`` are expected differences that are none.
    """

    suite: str
    without: Sequence[Run]
    isolated: Sequence[Run]
    unstable: tuple[str, ...]
    unsteady: tuple[str, ...]
    unexpected: tuple[Difference, ...]
    expected: tuple[Difference, ...]
    gone: tuple[Expected, ...]

    @property
    def is_as_expected(self) -> bool:
        """Return whether isolation changes what it is expected to, and nothing else."""
        return not self.unexpected and not self.gone


def compare(
    suite: str,
    without: Sequence[Run],
    isolated: Sequence[Run],
    expected: Iterable[Expected],
) -> Comparison:
    """Compare runs of a suite. A difference is what all of its runs show."""
    unstable, unsteady, differences = [], [], []
    for test in dict.fromkeys(
        test for run in (*without, *isolated) for test in run.results
    ):
        before = _outcomes(test, without)
        after = _outcomes(test, isolated)
        if len(before) > 1:
            unstable.append(test)
        elif len(after) > 1:
            unsteady.append(test)
        elif before != after:
            reason = _of(isolated[0], test).reason or _of(without[0], test).reason
            found = Difference(test, before.pop(), after.pop(), reason)
            differences.append(found)
    accepted = [each for each in expected if each.is_of(suite)]
    known = [each for each in differences if any(e.matches(each) for e in accepted)]
    return Comparison(
        suite,
        without,
        isolated,
        tuple(unstable),
        tuple(unsteady),
        unexpected=tuple(each for each in differences if each not in known),
        expected=tuple(known),
        gone=tuple(
            each
            for each in accepted
            if each.test not in (*unstable, *unsteady)
            and not any(each.matches(found) for found in known)
        ),
    )


def read_expected(path: Path) -> list[Expected]:
    """Read the differences that are accepted."""
    entries = tomllib.loads(path.read_text("utf-8")).get("difference", [])
    return [
        Expected(
            suites=tuple(entry["suites"]),
            test=entry["test"],
            without=Outcome(entry["without"]),
            isolated=Outcome(entry["isolated"]),
            why=entry["why"],
            opt_out=entry["opt_out"],
        )
        for entry in entries
    ]


def _outcomes(test: str, runs: Sequence[Run]) -> set[Outcome]:
    return {_of(run, test).outcome for run in runs}


def _of(run: Run, test: str) -> Result:
    return run.results.get(test, Result(Outcome.ABSENT))
