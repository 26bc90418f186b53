"""The life of a fork: it runs the tests of one job, tells of each, and leaves."""

from __future__ import annotations

import fcntl
import gc
import json
import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from typing import Any, Generic, TypeVar

from django.db import connections

from ci_cache_isolation.isolation import switch
from ci_cache_isolation.isolation.journal import JOURNAL
from ci_cache_isolation.running.inside.databases import Slot
from ci_cache_isolation.running.jobs import Sections
from ci_cache_isolation.running.output import one_line, shown_error
from ci_cache_isolation.running.suite import SuiteTest

__all__ = ["Suite", "Teller", "live"]

T = TypeVar("T")


class Teller:
    """Writes one line for each thing that happens into a pipe that the parent reads.

    A test may fork as well. What comes back from there is not this process, and ends:
    it would run the rest of the tests a second time, over the same connections.
    """

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self._pid = os.getpid()

    def started(self, test: str) -> None:
        """Tell that a test starts."""
        self._write("started", test)

    def outcome(self, test: str, outcome: str, message: str = "") -> None:
        """Tell an outcome; a test may have several, of which a failure counts."""
        self._write("outcome", test, outcome, one_line(message))

    def ended(self, test: str) -> None:
        """Tell that a test, tearing down included, is over."""
        self._write("ended", test)

    def changed(self, alias: str) -> None:
        """Tell that a database is about to be changed, and not for a moment only."""
        self._write("changed", alias)

    def broken(self, error: BaseException) -> None:
        """Tell what has ended the run in the middle."""
        with suppress(OSError):
            self._write("broken", f"the run was ended by {shown_error(error)}")

    def finished(self) -> None:
        """Tell that all is over."""
        self._write("finished")

    def _write(self, *words: str) -> None:
        if os.getpid() != self._pid:
            os._exit(0)
        line = json.dumps(words).encode() + b"\n"
        while line:
            line = line[os.write(self._pipe, line) :]


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
        run: Callable[[Sequence[T], Teller], None],
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
    job: Mapping[str, Any],
    slot: Slot | None,
    *,
    pipe: int,
    lifeline: int,
) -> None:
    """Run the tests of a job in this process, which ends with it.

    ``lifeline`` is a pipe whose other end only the parent holds.
    """
    status = 1
    teller = Teller(pipe)
    try:
        _end_with(lifeline)
        _stop_coverage()
        if slot is not None:
            slot.enter(teller.changed)
        # Tests look for objects too, and so do we for caches that somebody holds.
        gc.unfreeze()
        os.environ.update(job["variables"])
        _isolate(Sections(job["sections"]))
        suite.run([suite.tests[test] for test in job["tests"]], teller)
        teller.finished()
        with suite.queries_allowed():
            switch.finish()
            # A server has them still open when this process is gone.
            connections.close_all()
        status = 0
    except BaseException as error:  # noqa: BLE001 - whatever it is, it ends here
        with suppress(Exception):
            traceback.print_exc()
        teller.broken(error)
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):
                stream.flush()
        os._exit(status)


def _end_with(lifeline: int) -> None:
    """Have the kernel end this group of processes when the parent is gone.

    It sends SIGIO then, and nobody has to wait for it: the tests may do anything.
    """
    with suppress(OSError):
        fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpgrp())
        flags = fcntl.fcntl(lifeline, fcntl.F_GETFL)
        fcntl.fcntl(lifeline, fcntl.F_SETFL, flags | os.O_ASYNC)


def _isolate(sections: Sections) -> None:
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
