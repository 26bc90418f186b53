"""What came of a run, and what all runs together say about each test."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from ci_cache_isolation.evidence.evidence import Evidence
from ci_cache_isolation.evidence.suspects import Counted
from ci_cache_isolation.judging.finding import Finding
from ci_cache_isolation.judging.history import Observed
from ci_cache_isolation.running.checked_types import Amount
from ci_cache_isolation.running.jobs import End, Forked
from ci_cache_isolation.running.order_file import Cache
from ci_cache_isolation.running.outcomes import FAILED, PASSED, SKIPPED
from ci_cache_isolation.running.suite import SuiteTest
from ci_cache_isolation.stress.pairs import Pairs
from ci_cache_isolation.stress.plan import Shard, Step

__all__ = [
    "Cache",
    "End",
    "Failing",
    "Run",
    "StressResult",
    "failing",
    "in_sequence",
]


@dataclass(frozen=True, slots=True)
class Run:
    """One order, run once. ``passed``, ``failed`` and ``skipped`` hold test ids.

    ``order`` is the sequence in which the tests of the run really started, where one
    process ran them all; ``workers`` are those of each worker of a split run.
    ``running`` is the test at which a run ended that did not finish; it counts as
    failed. ``messages`` has one line for each test that failed, where it is known.
    """

    step: Step
    cache: Cache
    end: End
    seconds: Amount
    order: tuple[str, ...] = ()
    passed: frozenset[str] = frozenset()
    failed: tuple[str, ...] = ()
    skipped: frozenset[str] = frozenset()
    running: str | None = None
    workers: tuple[tuple[str, ...], ...] = ()
    messages: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, forked: Forked, step: Step, cache: Cache) -> Self:
        """Return what came of an order that was run in one process."""

        def having(outcome: str) -> Iterator[str]:
            return (test for test, got in forked.outcomes.items() if got == outcome)

        failed = tuple(having(FAILED))
        running = None
        if forked.end is not End.FINISHED:
            running = next(reversed(failed), None)
        return cls(
            step=step,
            cache=cache,
            end=forked.end,
            seconds=round(forked.seconds, 3),
            # Not those that started: what fails in the set-up of its class never does.
            order=tuple(test for test in forked.job.tests if test in forked.outcomes),
            passed=frozenset(having(PASSED)),
            failed=failed,
            skipped=frozenset(having(SKIPPED)),
            running=running,
            messages=forked.messages,
        )

    def observed(self) -> Iterator[Observed]:
        """Yield what each process of it was seen to run."""
        failed = frozenset(self.failed)
        if self.order:
            yield Observed(self.order, failed, self.passed)
        for worker in self.workers:
            ran = frozenset(worker)
            others = (each for each in self.workers if each is not worker)
            beside = tuple(test for each in others for test in each)
            yield Observed(worker, ran & failed, ran & self.passed, beside)


@dataclass(frozen=True, slots=True)
class Failing:
    """A test that failed at least once, the runs in which it did, and didn't."""

    test: str
    failed_in: tuple[Run, ...]
    passed_in: tuple[Run, ...] = field(default=())

    @property
    def is_flaky(self) -> bool:
        """It failed in one order and not in another."""
        return bool(self.passed_in)


def failing(runs: Sequence[Run], tests: Collection[str]) -> list[Failing]:
    """Return every test that failed, flaky ones first, in the sequence of their orders.

    A run that did not finish speaks only of what it ran. What failed and is none of the
    tests is a set-up by the runner's name for it, such as ``setUpClass (shop.Test)``:
    nobody reports one that succeeds, so a finished run without it counts as passed.
    """
    seen = dict.fromkeys(test for run in runs for test in run.failed)
    found = []
    for test in seen:
        failed_in = tuple(run for run in runs if test in run.failed)
        passed_in = tuple(
            run
            for run in runs
            if test not in run.failed
            and (test in run.passed if test in tests else run.end is End.FINISHED)
        )
        found.append(Failing(test, failed_in, passed_in))
    return sorted(found, key=lambda each: not each.is_flaky)


def in_sequence(runs: Sequence[Run]) -> list[Run]:
    """Return runs as they were planned, a split one last.

    Its index is taken where the plan was made longer after it had been run.
    """
    ordered = sorted(runs, key=lambda run: (run.step.processes > 1, run.step.index))
    for at, run in enumerate(ordered[1:], 1):
        index = max(run.step.index, ordered[at - 1].step.index + 1)
        ordered[at] = replace(run, step=replace(run.step, index=index))
    return ordered


@dataclass(slots=True)
class StressResult:
    """What is known so far. Remarks are sentences for the user.

    ``failure`` says why it ended early, if it did.
    """

    runner: str
    cache: Cache
    seed: int
    shard: Shard
    tests: Sequence[SuiteTest] = ()
    settings: str = ""
    runs: list[Run] = field(default_factory=list)
    pairs: Pairs = field(default_factory=lambda: Pairs(()))
    findings: dict[str, Finding] = field(default_factory=dict)
    evidence: Evidence = field(default_factory=Evidence)
    unjudged: tuple[str, ...] = ()
    collided: dict[str, None] = field(default_factory=dict)
    """Tests that failed only while other orders ran beside theirs."""
    left: tuple[Counted, ...] = ()
    """What tests leave besides caches, where that was looked at."""
    is_complete: bool = True
    """Whether all orders of the plan were run."""
    remarks: list[str] = field(default_factory=list)
    is_interrupted: bool = False
    failure: str = ""

    @property
    def failing(self) -> list[Failing]:
        """The tests that failed, flaky ones first."""
        found = failing(self.runs, {test.id for test in self.tests})
        return [each for each in found if each.test not in self.collided]
