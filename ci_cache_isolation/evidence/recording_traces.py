"""What each test leaves in its process, with its values: noted, put back, put in place.

In a fork only. A test is compared with what there was when it began, after the set-up
of what it is in; and a class, with all that is set up and taken down for it.
"""

from __future__ import annotations

import math
import types
import unittest
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ci_cache_isolation.isolation import switch
from ci_cache_isolation.isolation.clocks import steady
from ci_cache_isolation.isolation.scopes import Scope, ScopeKind
from ci_cache_isolation.state.comparing import (
    MISSING,
    Contents,
    Mark,
    derives,
    is_a,
    is_same,
    key_text,
)
from ci_cache_isolation.state.containers import Kind, kinds_of
from ci_cache_isolation.state.lazy import is_remembered_by_others
from ci_cache_isolation.state.look import Change, Look
from ci_cache_isolation.state.special import special_kind

__all__ = ["Content", "InPlace", "Left", "Noting", "Recording", "change_of"]

_MOST_CONTENTS = 4
_MOST_COMPARED = 50
"""So many objects in two contents are compared, and then they are not the same."""
_SETTLED = 8
"""What so many tests leave alike is there in nearly every order: it stays."""
_NEVER_THE_SAME = {key_text("random.getstate()")}
_MOST_RENEWED = 4
_NOT_BY_CONTENTS = (type, types.FunctionType, types.MethodType, types.ModuleType)


class _Listener:
    """Listens to scopes, and to no cache.

    ``is_before`` says when it reads what a scope leaves: before isolation puts back
    what was done in it, so that it sees entries of caches too, or afterwards.
    """

    def __init__(self, look: Look, *, is_before: bool) -> None:
        self._look = look
        self.is_before = is_before

    def leaves(self, scope: Scope) -> None:
        """Act on what a scope leaves."""
        raise NotImplementedError

    def is_lazy(self, change: Change) -> bool:
        """Return whether it is what code of others remembers, and no trace."""
        if change.before is not MISSING:
            return False
        held = self._look.containers[change.container].held
        return is_remembered_by_others(held, change.key)

    def take(self, alias: str, cache: object) -> None:
        """Take no notice of a cache."""

    def is_turning(self, *, is_aside: bool) -> None:
        """Take no notice of it."""

    def began(self, scope: Scope) -> None:
        """Take no notice of a scope that begins."""

    def is_ending(self, scope: Scope) -> None:
        """Act on what it has left, if isolation is not to put it back before."""
        if self.is_before:
            self.leaves(scope)

    def was_put_back(self, scope: Scope) -> None:
        """Act on what it has left and isolation has not put back."""
        if not self.is_before:
            self.leaves(scope)


class Noting(_Listener):
    """Compares containers, for a part of the tests' time, and all of them at the end.

    The next test may clean up what one has left. So the project's, of which there are
    fewer, are compared the more often.
    """

    def __init__(self, look: Look, *, is_before: bool = False) -> None:
        super().__init__(look, is_before=is_before)
        self._began = steady()
        self._budgets = [_Budget(1.0, 0.2, look.own), _Budget(0.3, 0.1, None)]
        self.found: set[int] = set()

    def leaves(self, scope: Scope) -> None:
        """Look, where that has not been done for a while."""
        if scope.kind is not ScopeKind.TEST:
            return
        tests = steady() - self._began - sum(each.spent for each in self._budgets)
        for budget in self._budgets:
            if budget.spent <= budget.least + budget.share * tests:
                began = steady()
                self.note(budget.among)
                budget.spent += steady() - began

    def note(self, among: Sequence[int] | None = None) -> None:
        """Look at all containers, or at some."""
        changes = self._look.changes(among=among)
        self.found.update(e.container for e in changes if not self.is_lazy(e))


@dataclass(slots=True)
class _Budget:
    """How long it may take to compare containers: seconds, and a part of the tests'."""

    least: float
    share: float
    among: Sequence[int] | None
    spent: float = 0.0


Content = tuple[Any, Any, list[str]]
"""What was at a place before and after, and the tests that leave it so."""


class Left:
    """What is left at a place: its contents, and the tests that leave each of them."""

    __slots__ = ("contents",)

    def __init__(self) -> None:
        self.contents: list[Content] = []

    @property
    def tests(self) -> list[str]:
        """All tests that leave it."""
        return [test for *_, tests in self.contents for test in tests]

    def add(self, before: Any, after: Any, tests: Iterable[str]) -> None:
        """Add a content, or a test to one that is the same."""
        is_full = len(self.contents) == _MOST_CONTENTS
        for _, known, by in self.contents:
            # What is never the same is not compared for ever.
            most = iter(range(0 if is_full else _MOST_COMPARED))
            if _is_alike(known, after, most):
                by.extend(tests)
                return
        if not is_full:
            self.contents.append((before, after, list(tests)))

    @property
    def is_settled(self) -> bool:
        """Whether many tests have left it, and all of them alike."""
        return len(self.contents) == 1 and len(self.contents[0][2]) >= _SETTLED


def _is_alike(one: Any, other: Any, left: Iterator[int]) -> bool:
    """Return whether two contents are the same, as far as can be told by looking.

    ``left`` ends when so much has been compared that they count as different.
    """
    if is_same(one, other):
        return True
    kind = type(one)
    if kind is not type(other):
        return False
    if kind is tuple:
        return _are_alike(one, other, left)
    if next(left, None) is None:
        return False
    # Objects that are born anew each time, and hold the same.
    try:
        ways = [(how.read(one), how.read(other)) for how in _ways_of(one)]
    except RuntimeError:
        return False
    return bool(ways) and all(_is_alike(*each, left) for each in ways)


def _ways_of(value: object) -> tuple[Kind, ...]:
    """Return how a value holds what it is; none where it is more than that."""
    kind = type(value)
    is_more = special_kind(value) or any(derives(kind, e) for e in _NOT_BY_CONTENTS)
    return () if is_more else kinds_of(kind)


def _are_alike(
    one: tuple[Any, ...], other: tuple[Any, ...], left: Iterator[int]
) -> bool:
    return len(one) == len(other) and all(
        _is_alike(*each, left) for each in zip(one, other, strict=True)
    )


Bases = Mapping[int, Contents]
"""What containers held that were changed since the look."""


class Recording(_Listener):
    """Notes what each test leaves in some containers, and puts it back.

    ``until`` is the moment on the steady clock after which it does so no more.
    """

    def __init__(
        self,
        look: Look,
        changing: Sequence[int],
        *,
        is_before: bool = False,
        until: float = math.inf,
    ) -> None:
        super().__init__(look, is_before=is_before)
        self._changing = {*changing}
        self._until = until
        self.is_over = False
        self._own = {*look.own}
        self.traces: dict[Mark, Left] = defaultdict(Left)
        # What there was around all scopes, and when each that is open began.
        self._ground: Bases = {}
        self._bases: list[tuple[Scope, Bases]] = []
        # The scope whose last test is over, with nothing done since, and what is there.
        self._between: tuple[Scope, Bases] | None = None
        self._tests: list[str] = []
        self._renewed: Counter[int] = Counter()
        # What was there when the work of a wider scope began in the middle of a test.
        self._before: Bases | None = None

    def is_turning(self, *, is_aside: bool) -> None:
        """Take what a wider fixture does for what was there when the test began."""
        innermost = switch.STACK.innermost
        if not is_aside or innermost is None or not self._bases:
            return
        self._between = None
        if innermost is self._bases[-1][0]:
            self._before = self._look.held_now(self._changing)
        elif self._before is not None:
            changes = self._look.changes(self._before, self._changing)
            outer = {id(scope) for scope in switch.STACK.path}
            inner = [each for each in self._bases if id(each[0]) not in outer]
            self._count_as_before({each.container for each in changes}, inner)
            self._before = None

    def began(self, scope: Scope) -> None:
        """Take note of what is there."""
        self._before = None
        if scope.kind is ScopeKind.BLOCK:
            return
        around, base = self._bases[-1] if self._bases else (None, self._ground)
        if self._between is not None and self._between[0] is around:
            base = self._between[1]
        elif changed := {each.container for each in self._changes(base)}:
            base = {**base, **self._look.held_now(changed)}
        self._between = None
        self._bases.append((scope, base))

    def leaves(self, scope: Scope) -> None:
        """Note what the scope has left, and put it back."""
        self._before = self._between = None
        if not self._bases or self._bases[-1][0] is not scope:
            return
        _, base = self._bases.pop()
        is_test = scope.kind is ScopeKind.TEST
        if is_test:
            self._tests.append(scope.test_id or scope.name)
        left, settled = [], set()
        for each in self._changes(base):
            # Where a class is over, nobody meets any more what it has set on itself.
            is_of_nobody = not is_test and self._is_of_tests(each.container)
            if self.is_lazy(each) or (
                not is_of_nobody and self._left(each, base, self._tests[-1:])
            ):
                settled.add(each.container)
            else:
                left.append(each)
        self._look.undo(left, base)
        if settled:
            self._settle(settled, {each.container for each in left})
        elif is_test and self._bases:
            self._between = self._bases[-1][0], base
        if steady() >= self._until:
            self._changing.clear()
            self.is_over = True

    def _changes(self, base: Bases) -> list[Change]:
        written: set[int] = set()
        found = self._look.changes(base, self._changing, written)
        # What counts is compared by identity first, and a runner leaves something on
        # each class: that would be looked into after every test from here on.
        renewed = {each for each in written if self._renewed[each] < _MOST_RENEWED}
        if renewed:
            self._renewed.update(renewed)
            now = self._look.held_now(renewed)
            self._bases = [
                (scope, _with(each, now, base)) for scope, each in self._bases
            ]
            self._ground = _with(self._ground, now, base)
        return found

    def _settle(self, settled: set[int], left: set[int]) -> None:
        """Have what is left in some containers be what is there from now on."""
        # What code of others remembers is born once; the project's may change again.
        self._changing -= settled - left - self._own
        self._count_as_before(settled, self._bases)
        self._ground = {**self._ground, **self._look.held_now(settled)}

    def _count_as_before(
        self, numbers: Collection[int], those: Sequence[tuple[Scope, Bases]]
    ) -> None:
        """Have what is in containers now count as what was there when scopes began."""
        now = self._look.held_now(numbers)
        scopes = {id(scope) for scope, _ in those}
        self._bases = [
            (scope, {**base, **now} if id(scope) in scopes else base)
            for scope, base in self._bases
        ]

    def _is_of_tests(self, number: int) -> bool:
        held = self._look.containers[number].held
        return is_a(held, type) and derives(held, unittest.TestCase)

    def _left(self, change: Change, base: Bases, by: list[str]) -> bool:
        """Note a trace; return whether it need not be put back any more."""
        mark, number = change.mark, change.container
        trace = self.traces[mark]
        if mark[1] is None:
            # All that the container held, and holds.
            now = self._look.held_now([number]).get(number)
            before = base.get(number, self._look.containers[number].contents)
            trace.add(before, now, by)
        elif mark[1] not in _NEVER_THE_SAME or not trace.contents:
            trace.add(change.before, change.after, by)
        return trace.is_settled


def _with(base: Bases, now: Bases, was: Bases) -> Bases:
    """Return a base with contents as they are now, where they count as they did."""
    fitting = {n: each for n, each in now.items() if base.get(n) is was.get(n)}
    return {**base, **fitting}


def change_of(mark: Mark, trace: Left) -> Change:
    """Return the change at a place, as the first test that leaves it makes it."""
    before, after, _ = trace.contents[0]
    number, text = mark
    if text is None:
        return Change(number, MISSING, before, after)
    return Change(number, Look.key_of(text), before, after)


class InPlace(Recording):
    """Has traces in place before every test, and takes away what tests leave.

    They are put there before anything else is done. What the set-up of a scope has
    changed since is put in place again for each of its tests.
    """

    def __init__(
        self,
        look: Look,
        changing: Sequence[int],
        contents: Mapping[Mark, Any],
        *,
        is_before: bool = False,
    ) -> None:
        super().__init__(look, changing, is_before=is_before)
        self._contents: dict[int, dict[Mark, Any]] = defaultdict(dict)
        for mark, value in contents.items():
            self._contents[mark[0]][mark] = value
        self._before_all = look.held_now(self._contents)
        look.put(contents)
        self._ground = look.held_now(self._changing)

    def began(self, scope: Scope) -> None:
        """Put them in place again, where a test begins."""
        super().began(scope)
        _, base = self._bases[-1] if self._bases else (None, self._ground)
        if scope.kind is ScopeKind.TEST and base is not self._ground:
            for number, contents in self._contents.items():
                if base.get(number) is not self._ground.get(number):
                    self._look.put(contents)

    def end(self) -> None:
        """Take them away again."""
        changes = self._look.changes(self._before_all, self._before_all)
        self._look.undo(changes, self._before_all)

    def _left(self, *_: object) -> bool:
        """Return that everything is put back."""
        return False
