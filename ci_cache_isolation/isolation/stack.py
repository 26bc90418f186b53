"""The scopes that are open in this process, and the sections that go with them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ci_cache_isolation.isolation.process import next_number
from ci_cache_isolation.isolation.scopes import Granularity, Path, Scope, ScopeKind
from ci_cache_isolation.isolation.stores import Store

__all__ = ["ScopeStack"]


_NARROW = frozenset({ScopeKind.TEST, ScopeKind.BLOCK})
"""Scopes after which nothing is tidied up yet: the next one may follow at once."""


class ScopeStack:
    """A stack of open scopes; every scope has one section in every store.

    It belongs to the process, not to a thread: a test's threads, its live server and
    its coroutines all see the section of the test. Scopes that are too narrow for the
    ``granularity`` use the section that they are opened in.
    """

    def __init__(self, stores: Sequence[Store]) -> None:
        self.stores = tuple(stores)
        self.granularity = Granularity.TEST
        self._path: list[Scope] = []
        self._numbers: list[int] = []
        # For each scope, the number of sections with its own.
        self._depths: list[int] = []

    @property
    def path(self) -> Path:
        """The open scopes, from the outermost to the innermost."""
        return tuple(self._path)

    @property
    def innermost(self) -> Scope | None:
        """The scope whose section is in use."""
        return self._path[-1] if self._path else None

    @property
    def number(self) -> int:
        """The section in use: never the same twice in this process, 0 for none."""
        return self._numbers[-1] if self._numbers else 0

    def begin(self, scope: Scope) -> None:
        """Open a scope inside the innermost one."""
        depth = self._depths[-1] if self._depths else 0
        number = self.number
        if self.granularity.includes(scope.kind):
            number = next_number()
            depth += 1
            for store in self.stores:
                store.begin(number, is_raw=scope.is_raw)
        self._path.append(scope)
        self._numbers.append(number)
        self._depths.append(depth)

    def end(self) -> None:
        """Close the innermost scope."""
        scope = self._path.pop()
        self._numbers.pop()
        depth = self._depths.pop()
        if depth > (self._depths[-1] if self._depths else 0):
            for store in self.stores:
                store.end()
        if scope.kind not in _NARROW:
            self.tidy()

    def tidy(self) -> None:
        """Delete what ended scopes have left on servers and in directories."""
        for store in self.stores:
            store.tidy()

    def move_to(self, path: Path) -> None:
        """Close what is not on the path, innermost first, then open what is missing.

        Moving to where one is does nothing: several doors may announce one boundary.
        A block that was opened in a scope which stays open stays open too.
        """
        depth, shared = self._shared_with(path)
        self._close_down_to(depth)
        for scope in path[shared:]:
            self.begin(scope)

    def depth_of(self, path: Path) -> int:
        """Return how many open scopes are on the path, with the blocks among them."""
        return self._shared_with(path)[0]

    @contextmanager
    def opened(self, scope: Scope) -> Iterator[None]:
        """Have a scope open, inside the innermost one."""
        self.begin(scope)
        opened = self._path[-1]
        try:
            yield
        finally:
            # Unless some other door has closed it meanwhile.
            places = [at for at, each in enumerate(self._path) if each is opened]
            if places:
                depth = places[-1]
                if scope.kind is ScopeKind.BLOCK:
                    # A test may have begun inside it, and goes on.
                    with self.at(depth + 1):
                        self.end()
                else:
                    self._close_down_to(depth)

    @contextmanager
    def joined(self, scope: Scope) -> Iterator[None]:
        """Have a scope open: the one that some other door has opened, if any."""
        if scope in self._path:
            yield
        else:
            with self.opened(scope):
                yield

    @contextmanager
    def at(self, depth: int) -> Iterator[None]:
        """Work in an outer scope for a while: what is stored belongs to it.

        ``depth`` counts the scopes that stay: 0 is the process. Inner scopes see
        afterwards what was stored, changed and deleted meanwhile.
        """
        if depth >= len(self._path):
            yield
            return
        kept = self._path[depth:], self._numbers[depth:], self._depths[depth:]
        del self._path[depth:], self._numbers[depth:], self._depths[depth:]
        sections = self._depths[-1] if self._depths else 0
        lifted = [(store, store.lift(sections)) for store in self.stores]
        try:
            yield
        finally:
            # A block that goes on, as in a fixture that yields in it, keeps its place.
            while len(self._path) > depth and not self._is_block(-1):
                self.end()
            for store, what in lifted:
                store.lower(what)
            added = (self._depths[-1] if self._depths else 0) - sections
            self._path += kept[0]
            self._numbers += kept[1]
            self._depths += [each + added for each in kept[2]]

    def _shared_with(self, path: Path) -> tuple[int, int]:
        """Return how much of the stack, and how much of the path, is common to both."""
        depth = shared = 0
        while depth < len(self._path):
            if shared < len(path) and self._path[depth] == path[shared]:
                shared += 1
            elif not self._is_block(depth):
                break
            depth += 1
        return depth, shared

    def _is_block(self, place: int) -> bool:
        return self._path[place].kind is ScopeKind.BLOCK

    def _close_down_to(self, depth: int) -> None:
        while len(self._path) > depth:
            self.end()
