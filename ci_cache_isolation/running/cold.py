"""Every order in a cold process of its own, several at a time.

It works everywhere, needs nothing of the suite, and is what a user's own command does.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from ci_cache_isolation.isolation.environment import ENABLED_VARIABLE
from ci_cache_isolation.running.events import (
    ORDER_VARIABLE,
    RECORD_VARIABLE,
    Told,
    read,
)
from ci_cache_isolation.running.jobs import SCOPE_VARIABLE, End
from ci_cache_isolation.running.order_file import Cache, OrderFile
from ci_cache_isolation.running.processes import TIMED_OUT, Processes
from ci_cache_isolation.running.runners import Runner

__all__ = ["ColdJob", "ColdRun", "ColdRuns"]


@dataclass(frozen=True, slots=True)
class ColdJob:
    """One run to be: the command, its order, and where things are written."""

    command: Sequence[str]
    order: OrderFile
    path: Path
    time_limit: float | None
    variables: Mapping[str, str] = field(default_factory=dict)
    """More for its environment."""

    @classmethod
    def of(
        cls,
        runner: Runner,
        order: OrderFile,
        path: Path,
        time_limit: float | None = None,
        variables: Mapping[str, str] = MappingProxyType({}),
    ) -> ColdJob:
        """Return the job that runs an order; it writes to the path and beside it."""
        command = runner.command(order.labels, order.processes)
        return cls(command, order, path, time_limit, variables)

    @property
    def record_path(self) -> Path:
        """The notes of the test process."""
        return self.path.with_suffix(".jsonl")

    @property
    def log_path(self) -> Path:
        """What the test process printed."""
        return self.path.with_suffix(".log")


@dataclass(frozen=True, slots=True)
class ColdRun:
    """A job that was run: how it ended, and what the process recorded."""

    job: ColdJob
    end: End
    seconds: float
    record: Told
    exit_code: int

    @property
    def culprit(self) -> str | None:
        """The test in which a process ended that did not come to its end.

        Of several workers it is the one that had run longest.
        """
        if self.end not in {End.DIED, End.TIMED_OUT}:
            return None
        begun = self.record.under_way
        return self.record.running or min(begun, key=begun.__getitem__, default=None)


class ColdRuns:
    """Runs jobs in processes, in the project's folder; ends only what it started."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._processes = Processes()

    def run(self, jobs: Iterable[ColdJob], at_a_time: int) -> Iterator[ColdRun]:
        """Yield jobs as they come to their end.

        A job is taken only when there is room for it, so that a budget, asked in
        ``jobs``, is asked late. Leaving the iterator early stops what still runs.
        """
        waiting = iter(jobs)
        with ThreadPoolExecutor(at_a_time) as pool:
            running: set[Future[ColdRun]] = set()
            try:
                while True:
                    while len(running) < at_a_time and (job := next(waiting, None)):
                        running.add(pool.submit(self._run, job))
                    if not running:
                        return
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        yield future.result()
            finally:
                if running:
                    self._processes.end()

    def _run(self, job: ColdJob) -> ColdRun:
        job.order.write(job.path)
        job.record_path.unlink(missing_ok=True)
        begun = time.monotonic()
        code = self._processes.run(
            job.command,
            self._environment(job),
            self._folder,
            job.log_path,
            seconds=job.time_limit,
        )
        seconds = time.monotonic() - begun
        record = read(job.record_path)
        end = End.FINISHED
        if self._processes.has_ended:
            end = End.INTERRUPTED
        elif code == TIMED_OUT:
            # Django's parallel runner says that it is done when it is interrupted.
            end = End.TIMED_OUT
        elif not record.is_finished:
            end = End.DIED
        return ColdRun(job, end, seconds, record, code)

    @staticmethod
    def _environment(job: ColdJob) -> dict[str, str]:
        order = job.order
        # Workers that share a cache meet as they do without us. One process that
        # shares it with nobody but itself shows the same, and harms nobody else.
        is_off = order.cache is Cache.SHARED and order.processes > 1
        scope = "process" if order.cache is Cache.SHARED else "test"
        return {
            **os.environ,
            ENABLED_VARIABLE: "off" if is_off else "on",
            SCOPE_VARIABLE: scope,
            ORDER_VARIABLE: str(job.path),
            RECORD_VARIABLE: str(job.record_path),
            "PYTHONHASHSEED": order.hash_seed,
            **job.variables,
        }
