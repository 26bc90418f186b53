"""What a test process records while it runs, line by line, and how it is read.

The file survives its writer: a process that is killed leaves what it knew. Nothing here
needs Django, pytest or the command's own libraries: it runs in the user's processes.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ci_cache_isolation.isolation.clocks import steady
from ci_cache_isolation.running.outcomes import FAILED
from ci_cache_isolation.running.private_files import appended
from ci_cache_isolation.running.suite import SuiteTest

__all__ = [
    "ORDER_VARIABLE",
    "RECORD_VARIABLE",
    "WHOLE_VARIABLE",
    "Record",
    "Recorder",
    "read",
]

ORDER_VARIABLE = "CI_CACHE_ISOLATION_ORDER"
RECORD_VARIABLE = "CI_CACHE_ISOLATION_RECORD"
WHOLE_VARIABLE = "CI_CACHE_ISOLATION_WHOLE"
"""Set where nothing is to be run of a suite that can't be loaded as a whole."""
# What a line that a test wrote, or that was cut off, may come to.
_NO_EVENT = (ValueError, TypeError, KeyError, AttributeError, RecursionError)
_SET_UP = re.compile(r"setUp(?:Class|Module) \((\S+)\)")


class Recorder:
    """Writes one line for each thing that happens; does nothing without a file."""

    def __init__(self) -> None:
        path = os.environ.get(RECORD_VARIABLE)
        # Open as long as the process lives; a line is written as soon as it is whole.
        self._file = appended(Path(path)) if path else None

    def collected(
        self, tests: Iterable[SuiteTest], *, settings: str, shared: Iterable[str]
    ) -> None:
        """Note all tests, the settings, and what two runs at once would fight over."""
        listed = [[test.id, test.rank, *test.groups] for test in tests]
        self._write("collected", tests=listed, settings=settings, shared=list(shared))

    def not_loaded(self, reasons: Mapping[str, str]) -> None:
        """Note modules that can't be imported, for which nothing is run."""
        self._write("not loaded", reasons=dict(reasons))

    def started(self, test: str) -> None:
        """Note that a test starts."""
        self._write("started", test=test, at=steady())

    def outcome(self, test: str, outcome: str) -> None:
        """Note an outcome; a test may have several, of which a failure counts."""
        self._write("outcome", test=test, outcome=outcome)

    def ended(self, test: str) -> None:
        """Note that a test, tearing down included, is over."""
        self._write("ended", test=test)

    def ran_in(self, worker: str, test: str) -> None:
        """Note which worker runs a test, where there are several."""
        self._write("worker", worker=worker, test=test, at=steady())

    def finished(self) -> None:
        """Note that the run came to its end."""
        self._write("finished")
        self.close()

    def close(self) -> None:
        """Write no more."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, event: str, **values: Any) -> None:
        if self._file is not None:
            self._file.write(json.dumps({"event": event, **values}) + "\n")


@dataclass(slots=True)
class Record:
    """What a process recorded. ``running``: the test that started and didn't end.

    ``workers`` are the tests of each worker of a split run, as they were started there.
    ``not_loaded`` holds modules that can't be imported, each with the reason.
    ``begun`` says when each test was started, by the clock that only runs on.
    """

    tests: list[SuiteTest] = field(default_factory=list)
    settings: str = ""
    shared: list[str] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    workers: dict[str, list[str]] = field(default_factory=dict)
    outcomes: dict[str, str] = field(default_factory=dict)
    running: str | None = None
    not_loaded: dict[str, str] = field(default_factory=dict)
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


def read(path: Path) -> Record:
    """Read a record, as far as it goes; an empty one where there is no file."""
    record = Record()
    if not path.exists():
        return record
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            _apply(record, json.loads(line))
        except _NO_EVENT:
            break  # the last line of a process that was killed while writing it
    _tell_tests_of_set_ups(record)
    return record


def _tell_tests_of_set_ups(record: Record) -> None:
    """Have a class's set-up that failed count as its tests, which did not run.

    Django's runner reports it by a name of its own: ``setUpClass (app.Tests)``.
    """
    known = {test.id for test in record.tests}
    failed = [test for test in record.failed if test not in known]
    for name in failed:
        found = _SET_UP.fullmatch(name)
        inside = f"{found[1]}." if found else ""
        silent = [
            test.id
            for test in record.tests
            if inside and test.id.startswith(inside) and test.id not in record.outcomes
        ]
        if silent:
            del record.outcomes[name]
            record.outcomes.update(dict.fromkeys(silent, FAILED))


def _apply(record: Record, event: dict[str, Any]) -> None:
    match event["event"]:
        case "collected":
            known = {test.id for test in record.tests}
            # A script may make several runners, one after another.
            record.tests += [
                SuiteTest(test, tuple(groups), rank)
                for test, rank, *groups in event["tests"]
                if test not in known
            ]
            record.settings, record.shared = event["settings"], event["shared"]
            record.is_collected, record.is_finished = True, False
        case "not loaded":
            record.not_loaded = event["reasons"]
        case "started":
            record.begun[event["test"]] = event.get("at", 0.0)
            record.order.append(event["test"])
            record.running = event["test"]
        case "worker":
            record.begun[event["test"]] = event.get("at", 0.0)
            record.workers.setdefault(event["worker"], []).append(event["test"])
        case "outcome":
            if record.outcomes.get(event["test"]) != FAILED:
                record.outcomes[event["test"]] = event["outcome"]
        case "ended":
            if record.running == event["test"]:
                record.running = None
        case "finished":
            record.running = None
            record.is_finished = True
