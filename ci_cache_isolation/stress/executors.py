"""Where orders are run: in forks of one process, or each in a cold one.

Both take jobs and yield how they ended, so nothing else needs to know which it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Protocol, Self

from ci_cache_isolation.errors import IsolationError
from ci_cache_isolation.evidence.hashing import variables
from ci_cache_isolation.running.cold import ColdJob, ColdRun, ColdRuns
from ci_cache_isolation.running.forks import (
    ForkClient,
    ForkServerError,
    NothingToForkError,
)
from ci_cache_isolation.running.jobs import (
    End,
    Forked,
    Job,
    SectionMode,
)
from ci_cache_isolation.running.order_file import Cache, OrderFile
from ci_cache_isolation.running.outcomes import FAILED
from ci_cache_isolation.running.output import shown
from ci_cache_isolation.running.runners import Runner
from ci_cache_isolation.running.suite import SuiteTest
from ci_cache_isolation.stress.request import StressRequest

__all__ = [
    "CannotStartError",
    "ColdExecutor",
    "Executor",
    "NothingRanError",
    "opened",
]

NO_LIMIT = 7 * 24 * 3600.0
"""Seconds; how long the suite's own order may take is not known beforehand."""


class CannotStartError(IsolationError):
    """The suite's own order can't be run to its end."""

    slug = "cannot-start"


class NothingRanError(IsolationError):
    """The runner found no tests."""

    slug = "nothing-ran"


class Executor(Protocol):
    """Runs jobs, several at a time."""

    seconds: float
    """The time limit of each job that has none of its own."""

    @property
    def suite(self) -> Sequence[SuiteTest]:
        """All tests, in the suite's own order."""

    @property
    def settings(self) -> str:
        """The dotted name of the settings."""

    @property
    def isolating(self) -> Sequence[str] | None:
        """The options with which the user's own command isolates; None: it can't."""

    @property
    def remark(self) -> str:
        """What users should know of how tests are run."""

    @property
    def interrupted(self) -> Mapping[str, float]:
        """The tests that an interrupt met, as far as known, and their seconds then."""

    def run(
        self, jobs: Iterable[Job], at_a_time: int | None = None
    ) -> Iterator[Forked]:
        """Run jobs and yield them as they end; one iterator at a time.

        As many at a time as there may be, or no more than that.
        """

    def stop(self) -> None:
        """Learn after an interrupt what ran then, and was stopped."""


class ColdExecutor:
    """Runs every job in a cold process, where forks are not safe.

    The suite's own order is run when the context begins: that tells which tests there
    are. It is not run once more when it is asked for next.
    """

    def __init__(self, runner: Runner, request: StressRequest, folder: Path) -> None:
        self._runner = runner
        self._labels = request.labels
        self._folder = folder
        self._cache = request.cache
        self._processes = request.processes
        self._seeds = count(request.seed)
        self._numbers = count()
        self._runs = ColdRuns(runner.folder)
        self._first: Forked | None = None
        self.seconds = NO_LIMIT
        self.suite: Sequence[SuiteTest] = ()
        self.settings = ""
        self.isolating: Sequence[str] | None = ()
        self.remark = ""
        self.interrupted: Mapping[str, float] = {}
        self.first_run: ColdRun

    def __enter__(self) -> Self:
        sections = SectionMode(self._cache.value)
        job = self._cold(Job((), sections), ())
        [run] = self._runs.run([job], 1)
        self.first_run = run
        self.suite, self.settings = run.record.tests, run.record.settings
        self._first = _forked(Job(tuple(test.id for test in self.suite)), run)
        if run.record.shared and self._processes > 1:
            self._processes = 1
            self.remark = (
                "One order at a time, because all of them would use the same "
                f"{' and '.join(run.record.shared)}."
            )
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def run(
        self, jobs: Iterable[Job], at_a_time: int | None = None
    ) -> Iterator[Forked]:
        """Run jobs and yield them as they end."""
        asked: dict[int, Job] = {}
        ended: list[Forked] = []

        def cold() -> Iterator[ColdJob]:
            for job in jobs:
                first = self._first
                if first is not None and self._is_own(job):
                    self._first = None
                    ended.append(replace(first, job=job))
                    continue
                made = self._cold(job, job.tests)
                asked[id(made)] = job
                yield made

        most = min(self._processes, at_a_time or self._processes)
        for run in self._runs.run(cold(), most):
            while ended:
                yield ended.pop()
            yield _forked(asked[id(run.job)], run)
        yield from ended

    def stop(self) -> None:
        """Do nothing: leaving the iterator stops what runs."""

    def _is_own(self, job: Job) -> bool:
        """Return whether it is what was run when the context began."""
        if job.notes:
            # What that one did was not recorded.
            return False
        own = tuple(test.id for test in self.suite)
        return job.tests == own and job.sections.value == self._cache.value

    def _cold(self, job: Job, order: Sequence[str]) -> ColdJob:
        given = {**job.sections.variables, **job.variables}
        file = OrderFile(
            name="cold",
            runner=self._runner.name,
            cache=Cache.SHARED if job.sections.is_shared else Cache.ISOLATED,
            hash_seed=str(next(self._seeds) % 2**32),
            labels=self._labels,
            order=tuple(order),
            is_exact=bool(order),
        )
        path = self._folder / f"cold-{next(self._numbers):05}.json"
        return ColdJob.of(
            self._runner,
            file,
            path.absolute(),
            job.seconds or self.seconds,
            given,
        )


def _forked(job: Job, run: ColdRun) -> Forked:
    outcomes = dict(run.record.outcomes)
    if run.culprit is not None:
        outcomes[run.culprit] = FAILED
    elif run.end is not End.FINISHED and job.tests:
        outcomes.setdefault(job.tests[-1], FAILED)
    return Forked(
        job=job,
        end=run.end,
        outcomes=outcomes,
        seconds=run.seconds,
        message=run.record.messages.get(job.tests[-1], "") if job.tests else "",
        messages=run.record.messages,
        order=tuple(run.record.order),
    )


@contextmanager
def opened(
    runner: Runner, request: StressRequest, folder: Path, remarks: list[str]
) -> Iterator[Executor]:
    """Have what runs orders here: forks, or cold processes where forks are unsafe."""
    with ExitStack() as stack:
        server = ForkClient(
            runner,
            request.labels,
            folder,
            # Two, for whatever needs another process that is alive.
            processes=max(2, request.processes),
            seconds=NO_LIMIT,
            environment={
                "PYTHONHASHSEED": str(request.seed % 2**32),
                **variables(hashes_keys=request.hashes_keys),
            },
        )
        if not server.unsafe:
            try:
                stack.enter_context(server)
            except NothingToForkError:
                raise _nothing_ran(runner, request) from None
            except ForkServerError as error:
                raise CannotStartError(str(error)) from None
        if not server.unsafe:
            if server.remark:
                remarks.append(server.remark)
            yield server
            return
        stack.close()
        remarks.append(f"Every order was run in a cold process. {server.unsafe}")
        cold = stack.enter_context(ColdExecutor(runner, request, folder))
        first = cold.first_run
        if runner.found_no_tests(first.exit_code) or (
            first.record.is_finished and not cold.suite
        ):
            raise _nothing_ran(runner, request)
        if cold.remark:
            remarks.append(cold.remark)
        yield cold


def _nothing_ran(runner: Runner, request: StressRequest) -> NothingRanError:
    return NothingRanError(
        "No tests were found, so there is nothing to put in order. "
        f"This was run: {shown(runner.own_command(request.labels))}. "
        "Name labels, or go to the folder in which that command finds tests."
    )
