"""The plan is run: whole orders by an executor, split ones by the user's workers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from ci_cache_isolation.running.cold import ColdJob, ColdRuns
from ci_cache_isolation.running.jobs import End, Job, SectionMode
from ci_cache_isolation.running.order_file import OrderFile
from ci_cache_isolation.running.outcomes import PASSED, SKIPPED
from ci_cache_isolation.running.output import shown, shown_path
from ci_cache_isolation.running.runners import Runner
from ci_cache_isolation.stress.executors import CannotStartError, Executor
from ci_cache_isolation.stress.plan import Planned, Step, planned
from ci_cache_isolation.stress.request import Progress, StressRequest
from ci_cache_isolation.stress.results import Run, StressResult
from ci_cache_isolation.stress.run_file import (
    RUN_FILE,
    KeptFinding,
    PlanHeader,
    RunFile,
)

__all__ = ["Observing"]

MANY_TIMES = 10
AT_LEAST_SECONDS = 60.0
_AT_MOST = 60 * 1.1
"""Seconds for each minute that is given: an order is begun if it is likely to fit."""


class Observing:
    """Runs the orders of a plan.

    What time one may take is known when the suite's own order has been run. What is in
    the result already is not run again. When a test has failed in some order the job
    that ``recording`` makes is run beside the last of them; ``is_recorded`` tells that
    it was.
    """

    def __init__(  # noqa: PLR0913
        self,
        runner: Runner,
        request: StressRequest,
        result: StressResult,
        folder: Path,
        progress: Progress,
        *,
        recording: Callable[[], Job] | None,
    ) -> None:
        self._runner = runner
        self._request = request
        self._folder = folder
        self._progress = progress
        self._recording = recording
        self.is_recorded = False
        self._sections = SectionMode(request.cache.value)
        self._began = time.monotonic()
        self.result = result
        self._limit: float | None = None
        self.file: RunFile | None = None
        """What is kept for a run that resumes this one; None if it can't be."""

    def run(
        self, executor: Executor, about: PlanHeader, kept: Iterable[KeptFinding] = ()
    ) -> None:
        """Run all orders of the plan that are this shard's.

        ``kept`` are judgements that stay on disk with the runs.
        """
        wishes = self._request.wishes
        if wishes.split > 1 and (why := self._runner.why_no_split()):
            self.result.remarks.append(f"No split run: {why}.")
            wishes = replace(wishes, split=0)
        every = planned(self.result.tests, wishes, self._request.seed)
        # The index of a split run changes where the plan was made longer.
        known = {replace(run.step, index=0) for run in self.result.runs}
        plan = (
            each
            for each in every
            if self._request.shard.takes(each.step)
            and replace(each.step, index=0) not in known
        )
        split: list[Planned] = []

        def whole() -> Iterator[Planned]:
            for each in plan:
                if each.step.processes > 1:
                    split.append(each)
                else:
                    yield each

        orders = whole()
        if not known:
            self._run_all(executor, [next(orders)])
        self._check_forward()
        self.file = RunFile(self._folder / RUN_FILE, about, self.result.runs, kept)
        own = self.result.runs[0].seconds
        self._limit = executor.seconds = max(AT_LEAST_SECONDS, MANY_TIMES * own)
        self._run_all(executor, self._within_minutes(orders))
        for each in self._within_minutes(iter(split)):
            self._run_split(each.step)

    def _check_forward(self) -> None:
        """Go on only if the suite's own order says anything about the tests."""
        run = self.result.runs[0]
        if run.end is End.FINISHED and (run.passed or run.skipped or not run.failed):
            return
        found = f"all its tests fail, {run.failed[0]} first"
        if run.end is not End.FINISHED:
            found = f"it {run.end} in {run.running}"
            if message := run.messages.get(run.running or ""):
                found = f"{found}, as {message}"
        elif message := run.messages.get(run.failed[0]):
            found = f"{found} ({message})"
        command = self._runner.own_command(self._request.labels)
        raise CannotStartError(
            f"The suite does not run in its own order: {found}. "
            "Until it does, other orders say nothing about it. "
            f"Run {shown(command)} by hand; what was printed is in "
            f"{shown_path(self._folder)}."
        )

    def _run_all(self, executor: Executor, plan: Iterable[Planned]) -> None:
        # With the jobs: the id of one that is gone may be that of the next.
        steps: dict[int, tuple[Job, Planned]] = {}

        def jobs() -> Iterator[Job]:
            for each in plan:
                job = Job(each.order, self._sections)
                steps[id(job)] = job, each
                self._write(each)
                yield job
            is_due = self._limit is not None and self.result.failing
            if self._recording is not None and is_due:
                self.is_recorded = True
                yield self._recording()

        for forked in executor.run(jobs(), self._request.processes):
            if (asked := steps.get(id(forked.job))) is not None:
                _, each = asked
                self._keep(Run.of(forked, each.step, self.result.cache))

    def _within_minutes(self, plan: Iterator[Planned]) -> Iterator[Planned]:
        limit = self._request.minutes
        for each in plan:
            passed = time.monotonic() - self._began
            if limit is not None and passed + self._expected(each) > limit * _AT_MOST:
                self.result.is_complete = False
                self.result.remarks.append(
                    "Planned orders were left out: the time set with --minutes was "
                    f"over at {each.step.name}."
                )
                return
            yield each

    def _expected(self, each: Planned) -> float:
        """Return how long a run may take, by what the suite's own order took."""
        own = self.result.runs[0]
        return own.seconds * max(1.0, len(each.order) / max(1, len(own.order)))

    def _run_split(self, step: Step) -> None:
        """Have the user's own workers run it: it has the processors to itself."""
        order = replace(self._order_file(Planned(step, (), 0.0)), is_exact=False)
        path = self._path(step)
        job = ColdJob.of(self._runner, order, path, self._limit)
        for run in ColdRuns(self._runner.folder).run([job], 1):
            failed = run.record.failed
            if run.culprit and run.culprit not in failed:
                failed.append(run.culprit)
            self._keep(
                Run(
                    step=step,
                    cache=self.result.cache,
                    end=run.end,
                    seconds=round(run.seconds, 3),
                    passed=frozenset(run.record.having(PASSED)) - set(failed),
                    failed=tuple(failed),
                    skipped=frozenset(run.record.having(SKIPPED)) - set(failed),
                    running=run.culprit,
                    workers=tuple(map(tuple, run.record.workers.values())),
                    messages=run.record.messages,
                )
            )

    def _keep(self, run: Run) -> None:
        self.result.runs.append(run)
        self.result.pairs.add(run.order)
        self._note(run)
        self._progress.run(run, len(self.result.runs), self._number_planned)

    def _note(self, run: Run) -> None:
        """Have it known to one that resumes this run; without, this one goes on."""
        if self.file is None:
            return
        try:
            self.file.add(run)
        except OSError as error:
            self.file = None
            self.result.remarks.append(
                f"This run can't be resumed: {error.strerror}, when what an order came "
                "to was recorded."
            )

    @property
    def _number_planned(self) -> int | None:
        """How many runs there are to be; None where it is the time that ends them."""
        wishes = self._request.wishes
        if wishes.orders is None or self._request.shard.of > 1:
            return None
        return 2 + wishes.twice + wishes.orders + (wishes.split > 1)

    def _path(self, step: Step) -> Path:
        name = f"{step.index:03}-{step.name.replace(' ', '-')}.json"
        return self._folder / name

    def _write(self, each: Planned) -> None:
        self._order_file(each).write(self._path(each.step))

    def _order_file(self, each: Planned) -> OrderFile:
        return OrderFile(
            name=each.step.name,
            runner=self._runner.name,
            cache=self.result.cache,
            hash_seed=str(self._request.seed % 2**32),
            labels=self._request.labels,
            order=each.order,
            is_exact=True,
            processes=each.step.processes,
        )
