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
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from ci_cache_isolation.evidence.hashing import hasher_if_asked
from ci_cache_isolation.isolation import switch
from ci_cache_isolation.isolation.clocks import steady
from ci_cache_isolation.isolation.scopes import Scope, ScopeKind
from ci_cache_isolation.running.private_files import written
from ci_cache_isolation.state.comparing import MISSING, Contents, is_same
from ci_cache_isolation.state.look import Change, Look, Mark, taken
from ci_cache_isolation.state.names import Names

__all__ = ["Found", "Left", "Outcomes", "Suspect", "read", "run_whole"]

Outcomes = Callable[[Sequence[str]], dict[str, bool]]
"""Runs tests in this process, and returns whether each of them passed."""

_SHARE = 0.5
"""The part of the time of tests that is spent on looking at all containers."""
_AT_LEAST = 1.0
"""Seconds that it may take in any case."""
_MOST_CONTENTS = 4
_MOST_FAILED = 200
_MOST_TOGETHER = 4


class Suspect(NamedTuple):
    """A test that failed with a few traces in place, and who leaves them.

    ``names`` are what the traces are called; ``after`` are the tests, in sequence, of
    which each leaves one of them.
    """

    test: str
    names: list[str]
    after: list[str]


class Left(NamedTuple):
    """A trace: how it is called, and how many tests leave it."""

    name: str
    tests: int


class Found(NamedTuple):
    """What came of it: tests that fail alone, suspects, and all traces."""

    alone: list[str]
    suspects: list[Suspect]
    left: list[Left]


def read(path: Path) -> Found | None:
    """Return what a fork has found; None if it did not come to its end."""
    try:
        alone, suspects, left = json.loads(path.read_text(encoding="utf-8"))
        return Found(
            alone, [Suspect(*each) for each in suspects], [Left(*each) for each in left]
        )
    except (OSError, ValueError, TypeError):
        return None


def run_whole(tests: Sequence[str], run: Outcomes, path: Path) -> None:
    """Find suspects among tests, and write them into a file."""
    look = taken()
    changing = _in_fork(lambda: _changing(look, tests, run)) or []
    recording = _Recording(look, changing)
    switch.STACK.listener = recording
    passed = run(tests)
    switch.STACK.listener = None
    # Forks of this one share what it holds, as those of its parent do.
    gc.freeze()
    alone = [test for test, is_passed in passed.items() if not is_passed]
    search = _Search(look, recording, run, [t for t in tests if passed.get(t)])
    suspects = list(search.suspects())
    names = Names(look, hasher_if_asked())
    left = [
        Left(name.text, len(trace.tests))
        for mark, trace in recording.traces.items()
        if (name := names.of(_change_of(mark, trace))) is not None
    ]
    found = Found(alone, suspects, left)
    written(path, json.dumps(found))


def _in_fork(work: Callable[[], Any]) -> Any:
    """Do something in a fork of this one, and return what it comes to; None if it dies.

    What it comes to goes through a pipe, as JSON.
    """
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


class _Listener:
    """Listens to scopes, and to no cache."""

    def take(self, alias: str, cache: object) -> None:
        """Take no notice of a cache."""

    def is_turning(self) -> None:
        """Take no notice of it."""

    def began(self, scope: Scope) -> None:
        """Take no notice of a scope that begins."""

    def is_ending(self, scope: Scope) -> None:
        """Take no notice of one that ends."""


def _changing(look: Look, tests: Sequence[str], run: Outcomes) -> list[int]:
    """Return the numbers of containers that change while the suite runs."""
    noting = _Noting(look)
    switch.STACK.listener = noting
    run(tests)
    noting.note()
    return sorted(noting.found)


class _Noting(_Listener):
    """Compares all containers, for a part of the tests' time; the project's always.

    The next test may clean up what one has left.
    """

    def __init__(self, look: Look) -> None:
        self._look = look
        self._began = steady()
        self._spent = 0.0
        self.found: set[int] = set()

    def is_ending(self, scope: Scope) -> None:
        """Look, where that has not been done for a while."""
        if scope.kind is not ScopeKind.TEST:
            return
        now = steady()
        if self._spent <= _AT_LEAST + _SHARE * (now - self._began - self._spent):
            self.note()
            self._spent += steady() - now
        else:
            self.note(self._look.own)

    def note(self, among: Sequence[int] | None = None) -> None:
        """Look at all containers, or at some."""
        changes = self._look.changes(among=among)
        self.found.update(each.container for each in changes)


_Content = tuple[Any, Any, list[str]]
"""What was at a place before and after, and the tests that leave it so."""


class _Trace:
    """What is left at a place: its contents, and the tests that leave each of them."""

    __slots__ = ("contents",)

    def __init__(self) -> None:
        self.contents: list[_Content] = []

    @property
    def tests(self) -> list[str]:
        """All tests that leave it."""
        return [test for *_, tests in self.contents for test in tests]

    def add(self, before: Any, after: Any, tests: Iterable[str]) -> None:
        """Add a content, or a test to one that is the same."""
        for _, known, by in self.contents:
            if _is_alike(known, after):
                by.extend(tests)
                return
        if len(self.contents) < _MOST_CONTENTS:
            self.contents.append((before, after, list(tests)))


def _is_alike(one: Any, other: Any) -> bool:
    """Return whether two contents are the same, as far as can be told by looking."""
    if type(one) is tuple is type(other) and len(one) == len(other):
        return all(map(_is_alike, one, other))
    return is_same(one, other)


class _Recording(_Listener):
    """Notes what each test leaves in some containers, and puts it back."""

    def __init__(self, look: Look, changing: Sequence[int]) -> None:
        self._look = look
        self._changing = [*changing]
        self.traces: dict[Mark, _Trace] = defaultdict(_Trace)
        self._bases: list[tuple[Scope, dict[int, Contents]]] = []
        self._tests: list[str] = []

    def began(self, scope: Scope) -> None:
        """Take note of what is there."""
        if scope.kind is not ScopeKind.BLOCK:
            base = self._look.held_now(self._changing)
            self._bases.append((scope, base))

    def is_ending(self, scope: Scope) -> None:
        """Note what the scope has left, and put it back."""
        if not self._bases or self._bases[-1][0] is not scope:
            return
        _, base = self._bases.pop()
        is_test = scope.kind is ScopeKind.TEST
        if is_test:
            self._tests.append(scope.test_id or scope.name)
        changes = self._look.changes(base, self._changing)
        for each in changes:
            self._left(each, base, self._tests[-1:])
        self._look.put_back((each.mark for each in changes), base)

    def _left(self, change: Change, base: dict[int, Contents], by: list[str]) -> None:
        mark = change.mark
        if mark[1] is None:
            # All that the container held, and holds.
            now = self._look.held_now([change.container]).get(change.container)
            self.traces[mark].add(base[change.container], now, by)
        else:
            self.traces[mark].add(change.before, change.after, by)


def _change_of(mark: Mark, trace: _Trace) -> Change:
    before, after, _ = trace.contents[0]
    number, text = mark
    if text is None:
        return Change(number, MISSING, before, after)
    return Change(number, Look.key_of(text), before, after)


class _InPlace(_Recording):
    """Puts traces in place before every test, and takes away what tests leave."""

    def __init__(
        self, look: Look, changing: Sequence[int], contents: dict[Mark, Any]
    ) -> None:
        super().__init__(look, changing)
        self._contents = contents

    def began(self, scope: Scope) -> None:
        """Put them in place, where a test begins."""
        super().began(scope)
        if scope.kind is ScopeKind.TEST:
            self._look.put(self._contents)


class _Search:
    """Runs the suite with all traces in place, and finds those that matter."""

    def __init__(
        self, look: Look, recording: _Recording, run: Outcomes, tests: list[str]
    ) -> None:
        self._look = look
        self._traces = recording.traces
        self._changing = sorted({number for number, _ in recording.traces})
        self._run = run
        self._tests = tests
        self._places = {test: at for at, test in enumerate(tests)}
        self._names = Names(look, hasher_if_asked())

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
            for test in self._failing(contents)[:_MOST_FAILED]:
                if test in known:
                    continue
                group = self._group(test, contents, groups)
                if not group:
                    continue
                known.add(test)
                if group not in groups:
                    groups.append(group)
                yield self._suspect(test, [marks[at] for at in group], contents)

    def _suspect(
        self, test: str, group: Sequence[Mark], contents: Mapping[Mark, _Content]
    ) -> Suspect:
        found = (self._names.of(_change_of(each, self._traces[each])) for each in group)
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
            [name.text for name in found if name is not None],
            sorted(by, key=lambda each: self._places.get(each, -1)),
        )

    def _failing(self, contents: Mapping[Mark, _Content]) -> list[str]:
        """Return the tests that fail with contents in place, in a run of all."""

        def work() -> list[str]:
            passed = self._with(self._tests, contents)
            return [test for test in self._tests if passed.get(test) is False]

        return _in_fork(work) or []

    def _with(
        self, tests: Sequence[str], contents: Mapping[Mark, _Content]
    ) -> dict[str, bool]:
        values = {mark: after for mark, (_, after, _) in contents.items()}
        switch.STACK.listener = _InPlace(self._look, self._changing, values)
        return self._run(tests)

    def _group(
        self,
        test: str,
        contents: Mapping[Mark, _Content],
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
            return [] if fails(()) or not fails(others) else _fewest(others, fails)

        found: list[int] = _in_fork(work) or []
        return found if len(found) <= _MOST_TOGETHER else []


def _common_length(one: str, other: str) -> int:
    """Return how many characters two ids begin with in common."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def _fewest(numbers: list[int], holds: Callable[[Sequence[int]], bool]) -> list[int]:
    """Return a smallest part of which something still holds, found by halving."""
    size = len(numbers) // 2
    while size:
        start = 0
        while start < len(numbers):
            rest = [*numbers[:start], *numbers[start + size :]]
            if rest and holds(rest):
                numbers = rest
            else:
                start += size
        size //= 2
    return numbers
