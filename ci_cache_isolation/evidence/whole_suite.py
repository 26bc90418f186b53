"""Traces first: what each test of a suite leaves, and whom all of it together changes.

In one fork of a process that took a look at itself, in four steps. The suite runs once,
and what ever changes is noted. It runs again, each test from the same state: what it
leaves is noted with its values, and put back. Then forks of this fork run the suite
with all traces in place before every test, one for each different content of a trace.
What fails there is run by itself, with fewer and fewer of them in place, until the few
are left that do it.

Nobody is accused by that: what comes of it are short orders, of tests that leave these
few traces and one that may fail for them, which are run as any other order is.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ci_cache_isolation.evidence.halving import fewest
from ci_cache_isolation.evidence.hashing import hasher_if_asked
from ci_cache_isolation.evidence.recording_traces import (
    Content,
    InPlace,
    Noting,
    Recording,
    change_of,
)
from ci_cache_isolation.evidence.suspects import Counted, Found, Suspect
from ci_cache_isolation.isolation import switch
from ci_cache_isolation.isolation.clocks import steady
from ci_cache_isolation.running.inside.databases import let_go_of_connections
from ci_cache_isolation.running.private_files import written
from ci_cache_isolation.state.comparing import Mark
from ci_cache_isolation.state.look import Look, taken
from ci_cache_isolation.state.names import Names

__all__ = ["Outcomes", "run_whole"]

Outcomes = Callable[[Sequence[str]], dict[str, bool]]
"""Runs tests in this process, and returns whether each of them passed."""

_SHARE = 0.8
"""The part of the time after which nothing more is begun."""
_SHARE_OF_RECORDING = 0.5
"""The part of the time after which nothing more is recorded."""
_MOST_FAILED = 200
_MOST_TOGETHER = 4


def run_whole(
    tests: Sequence[str], run: Outcomes, path: Path, seconds: float, *, is_before: bool
) -> None:
    """Find suspects among tests, and write them into a file, within some seconds.

    ``is_before`` says that what isolation puts back counts: for tests that meet.
    """
    began = steady()
    look = taken()
    changing = _in_fork(lambda: _changing(look, tests, run, is_before=is_before)) or []
    until = began + _SHARE_OF_RECORDING * seconds
    recording = Recording(look, changing, is_before=is_before, until=until)
    switch.STACK.listener = recording
    passed = run(tests)
    switch.STACK.listener = None
    # Forks of this one share what it holds, as those of its parent do.
    gc.freeze()
    names = Names(look, hasher_if_asked())
    found = Found(
        alone=[test for test, is_passed in passed.items() if not is_passed],
        suspects=[],
        left=[
            Counted(name.text, len(trace.tests))
            for mark, trace in recording.traces.items()
            if (name := names.of(change_of(mark, trace))) is not None
        ],
        is_whole=False,
    )
    # As it goes: whoever waits for it ends this process when its time is over.
    written(path, json.dumps(found))
    tests = [test for test in tests if passed.get(test)]
    search = _Search(look, recording, run, tests, began + _SHARE * seconds)
    for suspect in search.suspects():
        found.suspects.append(suspect)
        written(path, json.dumps(found))
    is_whole = search.is_whole and not recording.is_over
    written(path, json.dumps(found._replace(is_whole=is_whole)))


def _in_fork(work: Callable[[], Any]) -> Any:
    """Do something in a fork of this one, and return what it comes to; None if it dies.

    What it comes to goes through a pipe, as JSON.
    """
    let_go_of_connections()
    reading, writing = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if not pid:
        try:
            os.close(reading)
            with os.fdopen(writing, "w") as pipe:
                json.dump(work(), pipe)
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    os.waitpid(pid, 0)
    try:
        return json.loads(text)
    except ValueError:
        return None


def _changing(
    look: Look, tests: Sequence[str], run: Outcomes, *, is_before: bool
) -> list[int]:
    """Return the numbers of containers that change while the suite runs."""
    noting = Noting(look, is_before=is_before)
    switch.STACK.listener = noting
    run(tests)
    noting.note()
    return sorted(noting.found)


class _Search:
    """Runs the suite with all traces in place, and finds those that matter."""

    def __init__(
        self,
        look: Look,
        recording: Recording,
        run: Outcomes,
        tests: list[str],
        until: float,
    ) -> None:
        self._look = look
        self._traces = recording.traces
        self._is_before = recording.is_before
        self._until = until
        self.is_whole = True
        self._changing = sorted({number for number, _ in recording.traces})
        self._run = run
        self._tests = tests
        self._places = {test: at for at, test in enumerate(tests)}

    def suspects(self) -> Iterable[Suspect]:
        """Yield tests that fail with a few traces in place."""
        known: set[str] = set()
        most = max((len(each.contents) for each in self._traces.values()), default=0)
        for number in range(most):
            contents = {
                mark: each.contents[min(number, len(each.contents) - 1)]
                for mark, each in self._traces.items()
            }
            marks = list(contents)
            groups: list[list[int]] = []
            began = steady()
            for test in self._failing(contents)[:_MOST_FAILED]:
                if test in known:
                    continue
                if steady() >= self._until:
                    self.is_whole = False
                    return
                group = self._group(test, contents, groups)
                if not group:
                    continue
                known.add(test)
                if group not in groups:
                    groups.append(group)
                yield self._suspect(test, [marks[at] for at in group], contents)
            # The next order would take as long.
            if number + 1 < most and 2 * steady() - began >= self._until:
                self.is_whole = False
                return

    def _suspect(
        self, test: str, group: Sequence[Mark], contents: Mapping[Mark, Content]
    ) -> Suspect:
        # Of those that leave the same the nearest by name: it is often of its class.
        by = {
            max(
                (each for each in contents[mark][2] if each != test),
                key=partial(_common_length, test),
                default=test,
            )
            for mark in group
        }
        return Suspect(
            test,
            sorted(by, key=lambda each: self._places.get(each, -1)),
        )

    def _failing(self, contents: Mapping[Mark, Content]) -> list[str]:
        """Return the tests that fail with contents in place, in a run of all."""

        def work() -> list[str]:
            passed = self._with(self._tests, contents)
            return [test for test in self._tests if passed.get(test) is False]

        return _in_fork(work) or []

    def _with(
        self, tests: Sequence[str], contents: Mapping[Mark, Content]
    ) -> dict[str, bool]:
        values = {mark: after for mark, (_, after, _) in contents.items()}
        listener = InPlace(
            self._look, self._changing, values, is_before=self._is_before
        )
        switch.STACK.listener = listener
        passed = self._run(tests)
        listener.end()
        return passed

    def _group(
        self,
        test: str,
        contents: Mapping[Mark, Content],
        known: Sequence[Sequence[int]],
    ) -> list[int]:
        """Return the numbers of the few traces that make a test fail, none if many.

        All is tried in one fork: what the test leaves is put back each time. A run of
        the order that comes of it says whether it is so.
        """
        marks = list(contents)

        def fails(some: Sequence[int]) -> bool:
            chosen = {marks[at]: contents[marks[at]] for at in some}
            return self._with([test], chosen).get(test) is False

        def work() -> list[int]:
            for group in known:
                if fails(group):
                    return list(group)
            # What only it leaves does not count.
            others = [
                at for at, mark in enumerate(marks) if {*contents[mark][2]} != {test}
            ]
            return [] if fails(()) or not fails(others) else fewest(others, fails)

        found: list[int] = _in_fork(work) or []
        return found if len(found) <= _MOST_TOGETHER else []


def _common_length(one: str, other: str) -> int:
    """Return how many characters two ids begin with in common."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))
