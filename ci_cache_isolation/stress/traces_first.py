"""Traces first: short orders of tests that leave something, and those whom it changes.

What a hundred random orders show by luck is found here in a few runs of the suite; what
no trace shows random orders are still for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ci_cache_isolation.evidence.suspects import Counted, read
from ci_cache_isolation.judging.history import Observed
from ci_cache_isolation.running.forks import ForkClient
from ci_cache_isolation.running.jobs import Job, SectionMode
from ci_cache_isolation.running.outcomes import FAILED, PASSED

__all__ = ["Traced", "traces_first"]

_FILE = "whole-suite.json"
_LEAST_SECONDS = 60.0
_TIMES = 8
"""So many times the suite's own seconds it may take."""
_SHARE = 0.3
"""The part of the time that it may take where that is limited."""


@dataclass(frozen=True, slots=True)
class Traced:
    """What tests leave, and the short orders that were run for it.

    ``observed`` are those in which a test came to another outcome than it does alone.
    ``is_whole`` says whether there was time for all tests and all that they leave.
    """

    left: tuple[Counted, ...]
    observed: tuple[Observed, ...]
    is_whole: bool


def traces_first(  # noqa: PLR0913
    executor: ForkClient,
    tests: Sequence[str],
    folder: Path,
    sections: SectionMode,
    *,
    own_seconds: float,
    minutes: float | None,
    at_a_time: int,
) -> Traced | None:
    """Find tests that fail for what others leave; None where there was no time for it.

    ``own_seconds`` is what the suite's own order took, ``minutes`` the limit of the
    whole run, if there is one.
    """
    path = folder / _FILE
    path.unlink(missing_ok=True)
    seconds = max(_LEAST_SECONDS, _TIMES * own_seconds)
    if minutes is not None:
        seconds = min(seconds, _SHARE * 60 * minutes)
    job = Job(
        tuple(tests),
        SectionMode.ISOLATED,
        seconds,
        whole=str(path),
        # Tests that have sections of their own leave no entries to each other.
        is_before_isolation=sections.is_shared,
    )
    for _ in executor.run([job], 1):
        pass
    found = read(path)
    path.unlink(missing_ok=True)
    if found is None:
        return None
    known = set(tests)
    orders: list[tuple[str, ...]] = [(test,) for test in found.alone]
    orders += [(*each.after, each.test) for each in found.suspects]
    jobs = [Job(order, sections) for order in orders if known.issuperset(order)]
    observed = []
    for forked in executor.run(jobs, at_a_time):
        test = forked.job.tests[-1]
        if forked.last == FAILED:
            others = (t for t, outcome in forked.outcomes.items() if outcome == PASSED)
            observed.append(
                Observed(
                    forked.job.tests, frozenset({test}), frozenset(others) - {test}
                )
            )
    return Traced(tuple(found.left), tuple(observed), found.is_whole)
