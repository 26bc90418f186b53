"""Tests that fail while another process is live: two forks at once, in common sections.

Which two are worth it is known from what the audit recorded: they use one cache that
processes can share. So it is not left to chance that they meet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count

from ci_cache_isolation.evidence.evidence import Evidence
from ci_cache_isolation.judging.judged import Judged
from ci_cache_isolation.judging.proofs import TIMES
from ci_cache_isolation.running.jobs import Job, SectionMode
from ci_cache_isolation.running.limits import Runs
from ci_cache_isolation.running.outcomes import FAILED

__all__ = ["Beside", "Met", "with_neighbours"]

AT_LEAST = 3
"""So often out of `TIMES` a test has to fail beside another."""
_LONGER = 3
"""A neighbour is run so often in a row that it is still there when the test ends."""
_MOST_NEIGHBOURS = 12
_MOST_SCREENED = 60


@dataclass(frozen=True, slots=True)
class Met:
    """A neighbour, and how often the test failed beside it, and so but isolated."""

    neighbour: str
    failed: int
    isolated: int


class Beside:
    """Runs tests beside others. ``found`` is what came of it, by test."""

    def __init__(
        self, run: Runs, evidence: Evidence, is_over: Callable[[], bool]
    ) -> None:
        self._run = run
        self._evidence = evidence
        self._is_over = is_over
        self._tags = count(1)
        self.found: dict[str, list[Met]] = {}

    def __call__(self, test: str, neighbours: Sequence[str]) -> int:
        """Return how often a test fails beside one of those that ran at that time."""
        met = self._evidence.sharing(test)
        candidates = [
            each for each in dict.fromkeys([*neighbours, test]) if each in met
        ]
        self._ask(test, candidates[:_MOST_NEIGHBOURS])
        return max((each.failed for each in self.found.get(test, ())), default=0)

    def screened(self, tests: Iterable[str]) -> Iterator[str]:
        """Yield those that fail beside another, whether or not they were seen to."""
        pairs = (
            (test, other) for test in tests for other in self._evidence.sharing(test)
        )
        suspects: dict[str, list[str]] = {}
        for number, (test, other) in enumerate(pairs):
            if number >= _MOST_SCREENED or self._is_over():
                break
            if self._failed(test, other, SectionMode.COMMON):
                suspects.setdefault(test, []).append(other)
        for test, others in suspects.items():
            self._ask(test, others)
            if test in self.found:
                yield test

    def _ask(self, test: str, neighbours: Iterable[str]) -> None:
        for other in neighbours:
            if self._is_over():
                return
            failed = self._times(test, other, SectionMode.COMMON)
            if failed >= AT_LEAST:
                isolated = self._times(test, other, SectionMode.ISOLATED)
                self.found.setdefault(test, []).append(Met(other, failed, isolated))

    def _times(self, test: str, other: str, sections: SectionMode) -> int:
        return sum(self._failed(test, other, sections) for _ in range(TIMES))

    def _failed(self, test: str, other: str, sections: SectionMode) -> bool:
        tag = f"beside-{next(self._tags)}" if sections is SectionMode.COMMON else ""
        own = Job((test,), sections, common=tag)
        jobs = [Job((other,) * _LONGER, sections, common=tag), own]
        has_failed = False
        for forked in self._run(jobs):
            if forked.job is own:
                has_failed = forked.last == FAILED
        return has_failed


def with_neighbours(judged: Judged, met: Sequence[Met]) -> Judged:
    """Return a finding with what is known of the processes that it fails beside."""
    if not met:
        return judged
    most = max(met, key=lambda each: each.failed)
    return replace(
        judged,
        after=tuple((each.neighbour,) for each in met),
        proof=replace(judged.proof, after=most.failed, isolated=most.isolated),
        isolation_cures=not any(each.isolated for each in met),
        is_complete=True,
    )
