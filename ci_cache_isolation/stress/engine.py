"""The stress run: the suite's own order, then all the others, then the replays."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ci_cache_isolation.errors import IsolationError
from ci_cache_isolation.running.output import cause_in, shown, shown_path
from ci_cache_isolation.running.runners import Runner
from ci_cache_isolation.stress.executors.subprocesses import (
    Executed,
    Job,
    SubprocessExecutor,
)
from ci_cache_isolation.stress.order_file import OrderFile
from ci_cache_isolation.stress.orders import SuiteTest
from ci_cache_isolation.stress.pairs import PairCount, Pairs
from ci_cache_isolation.stress.plan import Kind, Planned, Step, Wishes, planned
from ci_cache_isolation.stress.results import Cache, End, Failing, Run, failing

__all__ = [
    "CannotStartError",
    "NothingRanError",
    "Replay",
    "Request",
    "Stress",
    "StressResult",
    "job_for",
]

MANY_TIMES = 10
AT_LEAST_SECONDS = 60.0


class CannotStartError(IsolationError):
    """The suite's own order can't be run to its end."""

    slug = "cannot-start"


class NothingRanError(IsolationError):
    """The runner found no tests."""

    slug = "nothing-ran"


@dataclass(frozen=True, slots=True)
class Request:
    """What is run, and how much: ``split`` is the number of that run's workers.

    ``minutes`` is None for no limit.
    """

    labels: tuple[str, ...]
    cache: Cache
    orders: int
    minutes: float | None
    seed: int
    processes: int
    split: int


@dataclass(frozen=True, slots=True)
class Replay:
    """An order that was run again, and which of its failures were seen again."""

    run: Run
    path: Path
    shown: frozenset[str]
    not_shown: frozenset[str]


@dataclass(slots=True)
class StressResult:
    """What is known so far. Remarks are sentences for the user."""

    runner: str
    cache: Cache
    seed: int
    tests: list[SuiteTest] = field(default_factory=list)
    settings: str = ""
    runs: list[Run] = field(default_factory=list)
    replays: list[Replay] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    is_interrupted: bool = False

    @property
    def failing(self) -> list[Failing]:
        """The tests that failed, flaky ones first."""
        return failing(self.runs, {test.id for test in self.tests})

    @property
    def pairs(self) -> PairCount:
        """The pairs of tests that whole orders have shown."""
        pairs = Pairs.of(self.tests)
        for run in self.runs:
            pairs.add(run.order)
        whole = {run.step.kind for run in self.runs if run.end is End.FINISHED}
        return pairs.count(both_ways={Kind.FORWARD, Kind.REVERSE} <= whole)


class Stress:
    """Runs the plan. What is known is in ``result`` at any time, also after Ctrl-C."""

    def __init__(
        self,
        runner: Runner,
        request: Request,
        orders_folder: Path,
        on_run: Callable[[Run], None] = lambda _: None,
    ) -> None:
        self.result = StressResult(runner.name, request.cache, request.seed)
        self._runner = runner
        self._request = request
        self._folder = orders_folder
        self._on_run = on_run
        self._executor = SubprocessExecutor(runner.folder)
        self._paths: dict[int, Path] = {}
        self._time_limit: float | None = None

    def run(self) -> StressResult:
        """Run everything; `CannotStartError` and `NothingRanError` end it at once."""
        split = self._request.split
        if split > 1 and (why := self._runner.why_no_split()):
            self.result.remarks.append(f"No split run: {why}.")
            split = 0
        # The user's own runner is not made to run a test twice.
        wishes = Wishes(orders=self._request.orders, twice=False, split=split)
        began = time.monotonic()
        try:
            at_a_time = self._run_forward(Step(0, Kind.FORWARD))
            _, *rest = planned(self.result.tests, wishes, self._request.seed)
            whole = [each for each in rest if each.step.processes == 1]
            self._run_all(self._within_minutes(whole, began), at_a_time)
            # A split run has the processors to itself.
            self._run_all(self._within_minutes(rest[len(whole) :], began), 1)
            self._replay()
        except KeyboardInterrupt:
            self.result.is_interrupted = True
        self.result.runs.sort(key=lambda run: run.step.index)
        return self.result

    def _run_forward(self, step: Step) -> int:
        """Run the suite's own order; return how many orders may run at a time."""
        job = self._job(step, ())
        [executed] = self._executor.run([job], 1)
        record = executed.record
        if self._runner.found_no_tests(executed.exit_code) or (
            record.is_finished and not record.tests
        ):
            raise NothingRanError(
                "No tests were found, so there is nothing to put in order. "
                f"This was run: {shown(self._runner.own_command(job.order.labels))}. "
                "Name labels, or go to the folder in which that command finds tests."
            )
        run = executed.run
        if run.end is not End.FINISHED or not (run.passed or run.skipped):
            raise CannotStartError(self._why_not_started(executed))
        self.result.tests = record.tests
        self.result.settings = record.settings
        self._time_limit = max(AT_LEAST_SECONDS, MANY_TIMES * executed.run.seconds)
        self._keep(executed)
        if record.shared and self._request.processes > 1:
            self.result.remarks.append(
                "One order at a time, because all of them would use the same "
                f"{_listed(record.shared)}."
            )
            return 1
        return self._request.processes

    def _why_not_started(self, executed: Executed) -> str:
        run, log = executed.run, executed.job.log_path
        if run.running:
            found = f"it {run.end} in {run.running}"
        elif run.end is End.FINISHED:
            found = f"all its tests fail, {run.failed[0]} first"
        else:
            found = cause_in(log) or f"exit code {executed.exit_code}"
        command = self._runner.own_command(executed.job.order.labels)
        return (
            f"The suite does not run in its own order: {found}. "
            "Until it does, other orders say nothing about it. "
            f"Run {shown(command)} by hand; "
            f"what this run printed is in {shown_path(log)}."
        )

    def _run_all(self, plan: Iterable[Planned], at_a_time: int) -> None:
        jobs = (self._job(each.step, each.order) for each in plan)
        for executed in self._executor.run(jobs, at_a_time):
            self._keep(executed)

    def _within_minutes(
        self, plan: Sequence[Planned], began: float
    ) -> Iterator[Planned]:
        limit = self._request.minutes
        for place, each in enumerate(plan):
            if limit is not None and time.monotonic() - began > limit * 60:
                self.result.remarks.append(
                    f"{len(plan) - place} planned runs were left out: the time set "
                    f"with --minutes was over at {each.step.name}."
                )
                return
            yield each

    def _replay(self) -> None:
        """Run an order again for every flaky test: only what fails again is advised."""
        open_tests = {each.test: each for each in self.result.failing if each.is_flaky}
        known = set(open_tests)
        while open_tests:
            test = next(iter(open_tests))
            run = min(open_tests[test].failed_in, key=_simplicity)
            path = self._paths[run.step.index]
            job = job_for(
                self._runner,
                OrderFile.read(path),
                path.with_name(f"{path.stem}-again.json"),
                self._time_limit,
            )
            [executed] = self._executor.run([job], 1)
            expected = known & set(run.failed)
            seen_again = frozenset(expected & set(executed.run.failed))
            self.result.replays.append(
                Replay(run, path, seen_again, frozenset(expected - seen_again))
            )
            for done in expected:
                open_tests.pop(done, None)

    def _job(self, step: Step, order: tuple[str, ...]) -> Job:
        order_file = OrderFile(
            step=step,
            runner=self._runner.name,
            cache=self.result.cache,
            hash_seed=str((self._request.seed + step.index) % 2**32),
            labels=self._request.labels,
            order=order,
        )
        name = f"{step.index:03}-{step.name.replace(' ', '-')}.json"
        return job_for(self._runner, order_file, self._folder / name, self._time_limit)

    def _keep(self, executed: Executed) -> None:
        self.result.runs.append(executed.run)
        self._paths[executed.run.step.index] = executed.job.path
        self._on_run(executed.run)


def job_for(
    runner: Runner, order_file: OrderFile, path: Path, time_limit: float | None = None
) -> Job:
    """Return the job that runs an order; it writes to the path and beside it."""
    command = runner.command(order_file.labels, order_file.step.processes)
    return Job(command, order_file, path, time_limit)


def _simplicity(run: Run) -> tuple[bool, bool, int]:
    """Sort one process before several, a run to the end before one that died."""
    return run.step.processes > 1, run.end is not End.FINISHED, run.step.index


def _listed(things: Sequence[str]) -> str:
    *others, last = things
    return f"{', '.join(others)} and {last}" if others else last
