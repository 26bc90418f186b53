"""The life of a fork: it runs the tests of one job, tells of each, and leaves."""

from __future__ import annotations

import fcntl
import gc
import math
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any, Generic, TypeVar

from django.db import connections

from ci_cache_isolation.isolation import switch
from ci_cache_isolation.isolation.journal import JOURNAL
from ci_cache_isolation.running.events import Events, Told
from ci_cache_isolation.running.inside.databases import Slot
from ci_cache_isolation.running.jobs import Job, SectionMode
from ci_cache_isolation.running.outcomes import FAILED
from ci_cache_isolation.running.suite import SuiteTest

__all__ = ["WHOLE_SUITE", "Suite", "live"]

T = TypeVar("T")
WHOLE_SUITE = "ci_cache_isolation.evidence.whole_suite"


class Pipe:
    """Writes lines into a pipe that the parent reads.

    A test may fork as well. What comes back from there is not this process, and ends:
    it would run the rest of the tests a second time, over the same connections.
    """

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self._pid = os.getpid()

    def write(self, line: str) -> None:
        """Write a line, whole."""
        if os.getpid() != self._pid:
            os._exit(0)
        rest = line.encode()
        while rest:
            rest = rest[os.write(self._pipe, rest) :]


class Suite(Generic[T]):
    """What there is to run. ``run`` is given some of the tests, and whom to tell.

    ``described`` is what is to be known of each test, in the suite's own sequence.
    ``isolating`` are the options that the user's own command needs to isolate caches;
    None where there are none that leave it the user's own. ``remark`` is what users
    are to be told of it.
    """

    def __init__(  # noqa: PLR0913
        self,
        tests: dict[str, T],
        run: Callable[[Sequence[T], Events], None],
        queries_allowed: Callable[[], AbstractContextManager[Any]],
        described: Sequence[SuiteTest],
        *,
        isolating: Sequence[str] | None = (),
        remark: str = "",
    ) -> None:
        self.tests = tests
        self.remark = remark
        self.isolating = isolating
        self.described = described
        self.run = run
        self.queries_allowed = queries_allowed


def live(
    suite: Suite[Any],
    job: Job,
    slot: Slot | None,
    *,
    pipe: int,
    lifeline: int,
) -> None:
    """Run the tests of a job in this process, which ends with it.

    ``lifeline`` is a pipe whose other end only the parent holds.
    """
    status = 1
    events = Events(Pipe(pipe).write)
    try:
        _end_with(lifeline)
        _stop_coverage()
        if slot is not None:
            # Forks of this fork have nobody whom they could tell.
            slot.enter(None if job.whole else events.changed)
            for alias in slot.aliases if job.whole else ():
                events.changed(alias)
        # Tests look for objects too, and so do we for caches that somebody holds.
        gc.unfreeze()
        os.environ.update(job.variables)
        _isolate(job.sections)
        if job.whole:
            _run_whole(suite, job)
        else:
            suite.run([suite.tests[test] for test in job.tests], events)
        events.finished()
        with suite.queries_allowed():
            switch.finish()
            # A server has them still open when this process is gone.
            connections.close_all()
        status = 0
    except BaseException as error:  # noqa: BLE001 - whatever it is, it ends here
        with suppress(Exception):
            traceback.print_exc()
        with suppress(OSError):
            events.broken(error)
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):
                stream.flush()
        os._exit(status)


def _run_whole(suite: Suite[Any], job: Job) -> None:
    """Have those run it who find out what tests leave, known by name only."""

    def run(tests: Sequence[str]) -> dict[str, bool]:
        told = Told()
        suite.run([suite.tests[test] for test in tests], Events(told.take))
        return {test: outcome != FAILED for test, outcome in told.outcomes.items()}

    import_module(WHOLE_SUITE).run_whole(
        job.tests,
        run,
        Path(job.whole),
        job.seconds or math.inf,
        is_before=job.is_before_isolation,
    )


def _end_with(lifeline: int) -> None:
    """Have the kernel end this group of processes when the parent is gone.

    It sends SIGIO then, and nobody has to wait for it: the tests may do anything.
    """
    with suppress(OSError):
        fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpgrp())
        flags = fcntl.fcntl(lifeline, fcntl.F_GETFL)
        fcntl.fcntl(lifeline, fcntl.F_SETFL, flags | os.O_ASYNC)


def _isolate(sections: SectionMode) -> None:
    # Not only on the stack: a suite that begins reads the options again.
    os.environ.update(sections.variables)
    # That is the parent's to do, once and when all forks have ended.
    JOURNAL.leaves_the_dead = True
    # Caches that somebody holds are led to what is this process's own.
    switch.start(switch.install())


def _stop_coverage() -> None:
    """Measure nothing: what a fork measures is never saved."""
    coverage = sys.modules.get("coverage")
    current = None if coverage is None else coverage.Coverage.current()
    if current is not None:
        current.stop()
