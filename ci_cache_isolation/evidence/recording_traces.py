"""What each test leaves in its process, with its values: noted, put back, put in place.

In a fork only. A test is compared with what there was when it began, after the set-up
of what it is in; and a class, with all that is set up and taken down for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from ci_cache_isolation.isolation import switch
from ci_cache_isolation.isolation.clocks import steady
from ci_cache_isolation.isolation.scopes import Scope, ScopeKind
from ci_cache_isolation.state.comparing import MISSING, Contents, Mark, is_same
from ci_cache_isolation.state.look import Change, Look

__all__ = ["Content", "InPlace", "Left", "Noting", "Recording", "change_of"]

_SHARE = 0.5
"""The part of the time of tests that is spent on looking at all containers."""
_AT_LEAST = 1.0
"""Seconds that it may take in any case."""
_MOST_CONTENTS = 4


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


class Noting(_Listener):
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


class Recording(_Listener):
    """Notes what each test leaves in some containers, and puts it back."""

    def __init__(self, look: Look, changing: Sequence[int]) -> None:
        self._look = look
        self._changing = [*changing]
        self.traces: dict[Mark, Left] = defaultdict(Left)
        self._bases: list[tuple[Scope, dict[int, Contents]]] = []
        self._tests: list[str] = []
        # What was there when the work of a wider scope began in the middle of a test.
        self._before: dict[int, Contents] | None = None

    def is_turning(self) -> None:
        """Take what a wider fixture does for what was there when the test began."""
        innermost = switch.STACK.innermost
        if innermost is None or not self._bases:
            return
        if innermost is self._bases[-1][0]:
            self._before = self._look.held_now(self._changing)
        elif self._before is not None:
            changes = self._look.changes(self._before, self._changing)
            now = self._look.held_now({each.container for each in changes})
            outer = {id(scope) for scope in switch.STACK.path}
            for scope, base in self._bases:
                if id(scope) not in outer:
                    base.update(now)
            self._before = None

    def began(self, scope: Scope) -> None:
        """Take note of what is there."""
        self._before = None
        if scope.kind is not ScopeKind.BLOCK:
            base = self._look.held_now(self._changing)
            self._bases.append((scope, base))

    def is_ending(self, scope: Scope) -> None:
        """Note what the scope has left, and put it back."""
        self._before = None
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


def change_of(mark: Mark, trace: Left) -> Change:
    """Return the change at a place, as the first test that leaves it makes it."""
    before, after, _ = trace.contents[0]
    number, text = mark
    if text is None:
        return Change(number, MISSING, before, after)
    return Change(number, Look.key_of(text), before, after)


class InPlace(Recording):
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
