"""Every order in a cold process of its own, several at a time.

It works everywhere, needs nothing of the suite, and is what a user's own command does.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from ci_cache_isolation.isolation.options import ENABLED_VARIABLE
from ci_cache_isolation.stress.order_file import OrderFile
from ci_cache_isolation.stress.record import (
    FAILED,
    ORDER_VARIABLE,
    PASSED,
    RECORD_VARIABLE,
    SKIPPED,
    Record,
    read,
)
from ci_cache_isolation.stress.results import Cache, End, Run

__all__ = ["Executed", "Job", "SubprocessExecutor"]


@dataclass(frozen=True, slots=True)
class Job:
    """One run to be executed: the command, its order, and where things are written."""

    command: Sequence[str]
    order: OrderFile
    path: Path
    time_limit: float | None

    @property
    def record_path(self) -> Path:
        """The notes of the test process."""
        return self.path.with_suffix(".jsonl")

    @property
    def log_path(self) -> Path:
        """What the test process printed."""
        return self.path.with_suffix(".log")


@dataclass(frozen=True, slots=True)
class Executed:
    """A job that was run: the run as far as it went, and what the process left."""

    job: Job
    run: Run
    record: Record
    exit_code: int


class SubprocessExecutor:
    """Runs jobs in processes, in the project's folder; ends only what it started."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def run(self, jobs: Iterable[Job], at_a_time: int) -> Iterator[Executed]:
        """Yield jobs as they come to their end.

        A job is taken only when there is room for it, so that a budget, asked in
        ``jobs``, is asked late. Leaving the iterator early stops what still runs.
        """
        waiting = iter(jobs)
        stopped = threading.Event()
        with ThreadPoolExecutor(at_a_time) as pool:
            running: set[Future[Executed]] = set()
            try:
                while True:
                    while len(running) < at_a_time and (job := next(waiting, None)):
                        running.add(pool.submit(self._execute, job, stopped))
                    if not running:
                        return
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        yield future.result()
            finally:
                stopped.set()

    def _execute(self, job: Job, stopped: threading.Event) -> Executed:
        job.order.write(job.path)
        job.record_path.unlink(missing_ok=True)
        environment = {
            **os.environ,
            ENABLED_VARIABLE: "on" if job.order.cache is Cache.ISOLATED else "off",
            ORDER_VARIABLE: str(job.path),
            RECORD_VARIABLE: str(job.record_path),
            "PYTHONHASHSEED": job.order.hash_seed,
        }
        begun = time.monotonic()
        with job.log_path.open("wb") as log:
            process = subprocess.Popen(
                job.command,
                cwd=self._folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            end = _wait(process, job.time_limit, stopped)
        seconds = time.monotonic() - begun
        record = read(job.record_path)
        if end is End.FINISHED and not record.is_finished:
            end = End.DIED
        return Executed(
            job, _run_from(job, record, end, seconds), record, process.returncode
        )


def _wait(
    process: subprocess.Popen[bytes],
    time_limit: float | None,
    stopped: threading.Event,
) -> End:
    deadline = None if time_limit is None else time.monotonic() + time_limit
    while True:
        try:
            process.wait(timeout=0.05)
        except subprocess.TimeoutExpired:
            if stopped.is_set():
                end = End.INTERRUPTED
            elif deadline is not None and time.monotonic() > deadline:
                end = End.TIMED_OUT
            else:
                continue
            _kill(process)
            return end
        return End.FINISHED


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a process with its workers: it leads a group of its own."""
    if hasattr(os, "killpg"):
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


def _run_from(job: Job, record: Record, end: End, seconds: float) -> Run:
    failed = list(record.having(FAILED))
    has_culprit = end in (End.DIED, End.TIMED_OUT)
    if has_culprit and record.running and record.running not in failed:
        failed.append(record.running)
    return Run(
        step=job.order.step,
        cache=job.order.cache,
        end=end,
        seconds=round(seconds, 3),
        order=tuple(record.order) if job.order.step.processes == 1 else (),
        passed=frozenset(record.having(PASSED)) - set(failed),
        failed=tuple(failed),
        skipped=frozenset(record.having(SKIPPED)) - set(failed),
        running=record.running if has_culprit else None,
        workers=tuple(map(tuple, record.workers.values())),
    )
