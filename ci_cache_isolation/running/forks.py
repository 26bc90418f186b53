"""Short runs from one process that is set up once and forks for each of them.

Setting up Django, databases and collection takes a second, a fork some milliseconds.
The process speaks JSON, line by line, over a socket that it inherits: its standard
output belongs to the tests. It ends when the socket does.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

from ci_cache_isolation.errors import IsolationError
from ci_cache_isolation.running.forking import NO_FORK, why_unsafe
from ci_cache_isolation.running.jobs import (
    FOLDER_VARIABLE,
    FORKS_VARIABLE,
    End,
    Forked,
    Job,
    SectionMode,
)
from ci_cache_isolation.running.output import cause_in, shown, shown_path
from ci_cache_isolation.running.private_files import opened
from ci_cache_isolation.running.processes import WARDEN
from ci_cache_isolation.running.runners import Runner
from ci_cache_isolation.running.suite import SuiteTest

__all__ = [
    "End",
    "ForkClient",
    "ForkServerError",
    "Forked",
    "Job",
    "NotLoadedError",
    "NothingToForkError",
    "SectionMode",
]

LOG = "fork-server.log"
_NO_TESTS = "no tests were found"
PATIENCE = 30.0
"""Seconds that the process has to take down what it has set up."""
# Not an order of somebody else's, no notes, and no other process's sections.
_NOT_MEANT_FOR_FORKS = (
    "CI_CACHE_ISOLATION_AUDIT",
    "CI_CACHE_ISOLATION_JOIN",
    "CI_CACHE_ISOLATION_ORDER",
    "CI_CACHE_ISOLATION_RECORD",
    "CI_CACHE_ISOLATION_LOOK",
    "CI_CACHE_ISOLATION_UNDO",
)
_NO_FORK = (
    f"{NO_FORK} Suspicions are confirmed in forks of one process "
    "that is set up once. Run this on Linux or macOS, or in a container."
)
_NOT_LOADED = (
    "These can't be imported: {found}. A suite that is not whole would be judged "
    "without them. Fix them, or select others; all that was printed by {command} is in "
    "{log}."
)
_FAILED = (
    "The process that forks to run tests {what}: {found}. "
    "Without it nothing can be run again to be judged. "
    "Run {command} by hand; what this one printed is in {log}."
)


class ForkServerError(IsolationError):
    """The process that forks can't be started, or was ended by somebody else."""

    slug = "fork-server"


class NothingToForkError(ForkServerError):
    """The runner found no tests."""

    slug = "nothing-to-fork"


class NotLoadedError(ForkServerError):
    """Modules of tests can't be imported."""

    slug = "not-loaded"


class ForkClient:
    """The process, while the context lasts. One `run` at a time.

    ``folder`` is where its output is kept, ``seconds`` the time limit of each job that
    has none of its own. ``isolating`` are the options that the user's own command needs
    to isolate caches, None where it can't. ``unsafe`` says in one line why tests should
    rather not run in forks, and is empty if they may. Both are known when the context
    has begun.
    """

    def __init__(  # noqa: PLR0913
        self,
        runner: Runner,
        labels: Sequence[str],
        folder: Path,
        *,
        processes: int,
        seconds: float,
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.tests: tuple[str, ...] = ()
        self.suite: tuple[SuiteTest, ...] = ()
        self.settings = ""
        self.remark = ""
        self.isolating: Sequence[str] | None = ()
        self.unsafe = why_unsafe()
        self._runner = runner
        self._labels = labels
        self._log = folder / LOG
        self._at_a_time = processes
        self.seconds = seconds
        self._environment = environment
        self._numbers = itertools.count()
        self._known: frozenset[str] = frozenset()
        self._stops = 0
        self.interrupted: Mapping[str, float] = {}

    def __enter__(self) -> Self:
        """Start the process and wait until it has set all up."""
        if not hasattr(os, "fork"):
            raise ForkServerError(_NO_FORK)
        self._log.parent.mkdir(parents=True, exist_ok=True)
        self._scratch = tempfile.TemporaryDirectory(
            prefix="cache-forks-", ignore_cleanup_errors=True
        )
        WARDEN.begin()
        self._socket, theirs = socket.socketpair()
        self._answers = self._socket.makefile("rb")
        with theirs, opened(self._log) as log:
            self._process = subprocess.Popen(
                self._runner.fork_command(self._labels),
                cwd=self._runner.folder,
                env=self._variables(theirs.fileno(), self._scratch.name),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=[theirs.fileno()],
                # Ctrl-C is ours; then this ends, and that too.
                start_new_session=True,
            )
        self._watched = ExitStack()
        # It notices by itself, if it is not busy with something that never ends.
        watched = WARDEN.over(self._process.pid, patience=PATIENCE)
        self._watched.enter_context(watched)
        try:
            self._begin()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def close(self) -> None:
        """Let the process take down what it has set up, and wait for its end."""
        self._hang_up()
        try:
            self._process.wait(PATIENCE)
        except BaseException as error:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
        finally:
            self._watched.close()
            # It does so itself, unless it was killed.
            self._scratch.cleanup()

    def run(
        self, jobs: Iterable[Job], at_a_time: int | None = None
    ) -> Iterator[Forked]:
        """Run jobs, as many at a time as may be, and yield them as they end.

        A job is taken when there is room for it. ``ValueError`` for one that names a
        test which was not collected, or none; `ForkServerError` if the process is gone.
        Leaving the iterator early stops what still runs.
        """
        waiting = iter(jobs)
        running: dict[int, Job] = {}
        most = min(self._at_a_time, at_a_time or self._at_a_time)
        try:
            while True:
                while len(running) < most:
                    job = next(waiting, None)
                    if job is None:
                        break
                    self._check(job)
                    number = next(self._numbers)
                    if job.seconds is None:
                        sent = replace(job, seconds=self.seconds)
                    else:
                        sent = job
                    self._send(number=number, job=sent.to_json())
                    running[number] = job
                if not running:
                    return
                answer = self._answer()
                # One of a run that was left early may have been on its way.
                if answer.get("number") in running:
                    job = running.pop(answer["number"])
                    yield Forked.from_json(job, answer["forked"])
        finally:
            if running:
                with suppress(ForkServerError):
                    self._send(stop=True)
                    self._stops += 1

    def stop(self) -> None:
        """Learn after an interrupt what ran then, and was stopped.

        Often there is a test that hangs: its user wants to know which.
        """
        with suppress(ForkServerError, OSError):
            self._socket.settimeout(PATIENCE)
            while self._stops:
                self._answer()

    def _check(self, job: Job) -> None:
        unknown = [test for test in job.tests if test not in self._known]
        if unknown or not job.tests:
            what = f"tests that were not collected: {unknown}" if unknown else "no test"
            raise ValueError(f"a job names {what}")

    def _begin(self) -> None:
        line = self._line()
        if not line:
            code = self._process.wait()
            if self._runner.found_no_tests(code):
                raise self._error("could not start", _NO_TESTS, NothingToForkError)
            found = cause_in(self._log) or _shown_code(code)
            raise self._error("could not start", found)
        begun = json.loads(line)
        if not_loaded := begun.get("not_loaded"):
            raise self._not_loaded(not_loaded)
        if error := begun.get("error"):
            kind = NothingToForkError if error == _NO_TESTS else ForkServerError
            raise self._error("could not start", error, kind)
        self.suite = tuple(map(SuiteTest.from_json, begun["tests"]))
        self.settings = begun["settings"]
        self.tests = tuple(test.id for test in self.suite)
        self.remark = begun["remark"]
        self.unsafe = begun["unsafe"]
        self.isolating = begun["isolating"]
        self._known = frozenset(self.tests)
        if begun["is_one_at_a_time"]:
            self._at_a_time = 1

    def _answer(self) -> dict[str, Any]:
        line = self._line()
        if not line:
            raise self._ended()
        answer: dict[str, Any] = json.loads(line)
        if error := answer.get("error"):
            raise self._error("ended too early", error)
        if "stopped" in answer:
            self._stops -= 1
            self.interrupted = answer["stopped"]
        return answer

    def _line(self) -> bytes:
        with suppress(ConnectionError):
            return self._answers.readline()
        return b""

    def _send(self, **message: object) -> None:
        try:
            self._socket.sendall(json.dumps(message).encode() + b"\n")
        except OSError:
            raise self._ended() from None

    def _hang_up(self) -> None:
        self._answers.close()
        self._socket.close()

    def _ended(self) -> ForkServerError:
        self._hang_up()
        try:
            code = self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            return self._error("ended too early", "it says nothing any more")
        found = _shown_code(code)
        if code > 0 and (cause := cause_in(self._log)):
            found = cause
        return self._error("ended too early", found)

    def _error(
        self, what: str, found: str, kind: type[ForkServerError] | None = None
    ) -> ForkServerError:
        return (kind or ForkServerError)(
            _FAILED.format(
                what=what,
                found=found.rstrip("."),
                command=shown(self._runner.own_command(self._labels)),
                log=shown_path(self._log),
            )
        )

    def _not_loaded(self, reasons: Mapping[str, str]) -> NotLoadedError:
        return NotLoadedError(
            _NOT_LOADED.format(
                found=", ".join(
                    f"{name} ({reason})" if reason else name
                    for name, reason in reasons.items()
                ),
                command=shown(self._runner.own_command(self._labels)),
                log=shown_path(self._log),
            )
        )

    def _variables(self, number: int, scratch: str) -> dict[str, str]:
        given = {"PYTHONHASHSEED": "0", **os.environ, **self._environment}
        kept = {
            name: value
            for name, value in given.items()
            if name not in _NOT_MEANT_FOR_FORKS
        }
        return kept | {
            "CI_CACHE_ISOLATION": "on",
            "CI_CACHE_ISOLATION_SCOPE": "process",
            FORKS_VARIABLE: str(number),
            FOLDER_VARIABLE: scratch,
        }


def _shown_code(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    return f"it was killed by {signal.Signals(-code).name}"
