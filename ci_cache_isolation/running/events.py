"""What a test process tells while it runs, line by line, and what is made of it.

Forks tell it over a pipe, cold processes write it into a file, which survives them: a
process that is killed leaves what it knew. Nothing here needs Django, pytest or the
command's own libraries: it runs in the user's processes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from ci_cache_isolation.isolation.clocks import steady
from ci_cache_isolation.running.outcomes import FAILED
from ci_cache_isolation.running.output import one_line, shown_error
from ci_cache_isolation.running.private_files import appended
from ci_cache_isolation.running.suite import SuiteTest

__all__ = [
    "ORDER_VARIABLE",
    "RECORD_VARIABLE",
    "WHOLE_VARIABLE",
    "EventFile",
    "Events",
    "Told",
    "read",
]

ORDER_VARIABLE = "CI_CACHE_ISOLATION_ORDER"
RECORD_VARIABLE = "CI_CACHE_ISOLATION_RECORD"
WHOLE_VARIABLE = "CI_CACHE_ISOLATION_WHOLE"
"""Set where nothing is to be run of a suite that can't be loaded as a whole."""
# What a line that a test wrote, or that was cut off, may come to.
NO_EVENT = (ValueError, TypeError, KeyError, AttributeError, RecursionError)


class Events:
    """Tells what happens: ``write`` is given a line for each, with its end."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write

    def collected(
        self, tests: Iterable[SuiteTest], *, settings: str, shared: Iterable[str]
    ) -> None:
        """Tell all tests, the settings, and what two runs at once would fight over."""
        listed = [test.to_json() for test in tests]
        self._tell("collected", tests=listed, settings=settings, shared=list(shared))

    def not_loaded(self, reasons: Mapping[str, str]) -> None:
        """Tell the modules that can't be imported, for which nothing is run."""
        self._tell("not loaded", reasons=dict(reasons))

    def started(self, test: str) -> None:
        """Tell that a test starts."""
        self._tell("started", test=test, at=steady())

    def outcome(self, test: str, outcome: str, message: str = "") -> None:
        """Tell an outcome; a test may have several, of which a failure counts."""
        self._tell("outcome", test=test, outcome=outcome, message=one_line(message))

    def ended(self, test: str) -> None:
        """Tell that a test, tearing down included, is over."""
        self._tell("ended", test=test)

    def ran_in(self, worker: str, test: str) -> None:
        """Tell which worker runs a test, where there are several."""
        self._tell("worker", worker=worker, test=test, at=steady())

    def changed(self, alias: str) -> None:
        """Tell that a database is about to be changed, and not for a moment only."""
        self._tell("changed", alias=alias)

    def broken(self, error: BaseException) -> None:
        """Tell what has ended the run in the middle."""
        self._tell("broken", error=f"the run was ended by {shown_error(error)}")

    def finished(self) -> None:
        """Tell that the run came to its end."""
        self._tell("finished")

    def _tell(self, event: str, **values: Any) -> None:
        self._write(json.dumps({"event": event, **values}) + "\n")


class EventFile(Events):
    """Writes into the file that the environment names; does nothing without one."""

    def __init__(self) -> None:
        path = os.environ.get(RECORD_VARIABLE)
        # Open as long as the process lives; a line is written as soon as it is whole.
        self._file: IO[str] | None = appended(Path(path)) if path else None
        super().__init__(self._append)

    def finished(self) -> None:
        """Tell that the run came to its end, and write no more."""
        super().finished()
        self.close()

    def close(self) -> None:
        """Write no more."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _append(self, line: str) -> None:
        if self._file is not None:
            self._file.write(line)


@dataclass(slots=True)
class Told:
    """What a process has told so far. ``running``: the test that started, not ended.

    ``workers`` are the tests of each worker of a split run, as they were started there.
    ``not_loaded`` holds modules that can't be imported, each with the reason.
    ``begun`` says when each test was started, by the clock that only runs on.
    ``messages`` has a line for each test that failed, ``changed`` databases.
    """

    tests: list[SuiteTest] = field(default_factory=list)
    settings: str = ""
    shared: list[str] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    workers: dict[str, list[str]] = field(default_factory=dict)
    outcomes: dict[str, str] = field(default_factory=dict)
    messages: dict[str, str] = field(default_factory=dict)
    running: str | None = None
    not_loaded: dict[str, str] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    broken_by: str = ""
    begun: dict[str, float] = field(default_factory=dict, compare=False)
    is_collected: bool = False
    is_finished: bool = False

    @property
    def under_way(self) -> dict[str, float]:
        """The tests that have no outcome, one for each worker, and when they began.

        Where a run is interrupted unittest says of its test that it has ended.
        """
        latest = [worker[-1] for worker in self.workers.values()] or self.order[-1:]
        return {
            test: self.begun[test]
            for test in latest
            if test not in self.outcomes and test in self.begun
        }

    @property
    def failed(self) -> list[str]:
        """The tests that failed, in the order they did."""
        return list(self.having(FAILED))

    def having(self, outcome: str) -> Iterator[str]:
        """Yield the tests with an outcome, in the order they got it."""
        return (test for test, got in self.outcomes.items() if got == outcome)

    def take(self, line: str | bytes) -> None:
        """Take in a line; one of `NO_EVENT` where it is no event."""
        event = json.loads(line)
        match event["event"]:
            case "collected":
                self._take_suite(event)
            case "not loaded":
                self.not_loaded = event["reasons"]
            case "started":
                self.begun[event["test"]] = event["at"]
                self.order.append(event["test"])
                self.running = event["test"]
            case "worker":
                self.begun[event["test"]] = event["at"]
                self.workers.setdefault(event["worker"], []).append(event["test"])
            case "outcome":
                self._came_to(event["test"], event["outcome"], event["message"])
            case "ended":
                is_running = self.running == event["test"]
                self.running = None if is_running else self.running
            case "changed":
                self.changed.add(event["alias"])
            case "broken":
                self.broken_by = event["error"]
            case "finished":
                self.running = None
                self.is_finished = True

    def _take_suite(self, event: Mapping[str, Any]) -> None:
        known = {test.id for test in self.tests}
        # A script may make several runners, one after another.
        suite = map(SuiteTest.from_json, event["tests"])
        self.tests += [test for test in suite if test.id not in known]
        self.settings, self.shared = event["settings"], event["shared"]
        self.is_collected, self.is_finished = True, False

    def _came_to(self, test: str, outcome: str, message: str) -> None:
        if self.outcomes.get(test) != FAILED:
            self.outcomes[test] = outcome
            if outcome == FAILED and message:
                self.messages[test] = message


def read(path: Path) -> Told:
    """Read what a process has written, as far as it goes; nothing without a file."""
    told = Told()
    if not path.exists():
        return told
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            told.take(line)
        except NO_EVENT:
            break  # the last line of a process that was killed while writing it
    return told
