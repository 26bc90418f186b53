"""The scopes that are open in this process, and the sections that go with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from ci_cache_isolation.isolation.process import next_number
from ci_cache_isolation.isolation.scopes import Granularity, Path, Scope, ScopeKind
from ci_cache_isolation.isolation.stores import Store

__all__ = ["Listener", "ScopeStack"]


class Listener(Protocol):
    """Somebody who wants to know where scopes begin and end, and of caches."""

    def take(self, alias: str, cache: object) -> None:
        """Take notice of a cache, open already or opened later."""

    def is_turning(self, *, is_aside: bool) -> None:
        """Take notice that the work goes on in another scope than the innermost.

        ``is_aside`` says that it goes to an outer one for a while, or comes back.
        """

    def began(self, scope: Scope) -> None:
        """Take notice of a scope that has just been opened."""

    def is_ending(self, scope: Scope) -> None:
        """Take notice of a scope that is about to be closed."""

    def was_put_back(self, scope: Scope) -> None:
        """Take notice of a scope that was closed, and what was done in it put back."""


class _Open:
    """A scope that is open, its section, and the number of sections up to there."""

    __slots__ = ("depth", "number", "scope")

    def __init__(self, scope: Scope, number: int, depth: int) -> None:
        self.scope = scope
        self.number = number
        self.depth = depth


_OUTSIDE = _Open(Scope(ScopeKind.SESSION, ""), 0, 0)


class ScopeStack:
    """A stack of open scopes; every scope has one section in every store.

    It belongs to the process, not to a thread: a test's threads, its live server and
    its coroutines all see the section of the test. Scopes that are too narrow for the
    ``granularity`` use the section that they are opened in.
    """

    def __init__(self, stores: Sequence[Store]) -> None:
        self.stores = tuple(stores)
        self.granularity = Granularity.TEST
        self.listener: Listener | None = None
        # Called when a scope with sections of its own has ended.
        self.forget: Callable[[], None] | None = None
        self._open: list[_Open] = []

    @property
    def path(self) -> Path:
        """The open scopes, from the outermost to the innermost."""
        return tuple(each.scope for each in self._open)

    @property
    def innermost(self) -> Scope | None:
        """The scope whose section is in use."""
        return self._open[-1].scope if self._open else None

    @property
    def number(self) -> int:
        """The section in use: never the same twice in this process, 0 for none."""
        return self._open[-1].number if self._open else 0

    @property
    def depth(self) -> int:
        """How many sections are open."""
        return self._open[-1].depth if self._open else 0

    def take_in(self, store: Store) -> None:
        """Have sections in one more kind of store, in all scopes that are open."""
        self._begin_in(store, self._open, 0)
        self.stores += (store,)

    def let_go(self, store: Store) -> None:
        """Have no more sections in a kind of store, in no scope."""
        self.stores = tuple(each for each in self.stores if each is not store)

    def begin(self, scope: Scope) -> None:
        """Open a scope inside the innermost one."""
        listener = self.listener
        if listener is not None:
            listener.is_turning(is_aside=False)
        around = self._open[-1] if self._open else _OUTSIDE
        number, depth = around.number, around.depth
        if self.granularity is Granularity.TEST or self.granularity.includes(
            scope.kind
        ):
            number = next_number()
            depth += 1
            for store in self.stores:
                store.begin(number, is_raw=scope.is_raw)
        self._open.append(_Open(scope, number, depth))
        if listener is not None:
            listener.began(scope)

    def end(self) -> None:
        """Close the innermost scope."""
        if self.listener is not None:
            self.listener.is_turning(is_aside=False)
            self.listener.is_ending(self._open[-1].scope)
        ended = self._open.pop()
        scope = ended.scope
        if ended.depth > self.depth:
            for store in self.stores:
                store.end()
            if self.forget is not None and scope.kind is not ScopeKind.BLOCK:
                self.forget()
        if self.listener is not None:
            self.listener.was_put_back(scope)
        # After a test or a block the next one may follow at once.
        if scope.kind is not ScopeKind.TEST and scope.kind is not ScopeKind.BLOCK:
            self.tidy()

    def follow(self, previous: Scope, scope: Scope) -> bool:
        """Close a test's scope and open the next test's; False if not innermost."""
        if not self._open or self._open[-1].scope is not previous:
            return False
        if self.listener is not None or self.granularity is not Granularity.TEST:
            self.end()
            self.begin(scope)
            return True
        innermost = self._open[-1]
        innermost.scope = scope
        innermost.number = number = next_number()
        for store in self.stores:
            store.follow(number, is_raw=scope.is_raw)
        if self.forget is not None:
            self.forget()
        return True

    def tidy(self) -> None:
        """Delete what ended scopes have left on servers and in directories."""
        for store in self.stores:
            store.tidy()

    def move_to(self, path: Path) -> None:
        """Close what is not on the path, innermost first, then open what is missing.

        Moving to the current scope does nothing: several may announce one boundary.
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
        opened = self._open[-1].scope
        try:
            yield
        finally:
            # Unless some other entry point has closed it meanwhile.
            places = [at for at, each in enumerate(self._open) if each.scope is opened]
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
        """Have a scope open: the one that some other entry point has opened, if any."""
        if scope in self.path:
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
        if depth >= len(self._open):
            yield
            return
        self._turn()
        inner = self._open[depth:]
        del self._open[depth:]
        sections = self.depth
        suspended = [(store, store.suspend(sections)) for store in self.stores]
        try:
            yield
        finally:
            self._turn()
            # A block that goes on, as in a fixture that yields in it, keeps its place.
            while len(self._open) > depth and not self._is_block(-1):
                self.end()
            for store, what in suspended:
                store.resume(what)
            for store in self.stores[len(suspended) :]:
                self._begin_in(store, inner, sections)
            added = self.depth - sections
            for each in inner:
                each.depth += added
            self._open += inner

    def _turn(self) -> None:
        if self.listener is not None:
            self.listener.is_turning(is_aside=True)

    @staticmethod
    def _begin_in(store: Store, scopes: Sequence[_Open], depth: int) -> None:
        """Open the sections of scopes in a store that has ``depth`` of them so far."""
        for each in scopes:
            if each.depth > depth:
                depth = each.depth
                store.begin(each.number, is_raw=each.scope.is_raw)

    def _shared_with(self, path: Path) -> tuple[int, int]:
        """Return how much of the stack, and how much of the path, is common to both."""
        depth = shared = 0
        while depth < len(self._open):
            if shared < len(path) and self._open[depth].scope == path[shared]:
                shared += 1
            elif not self._is_block(depth):
                break
            depth += 1
        return depth, shared

    def _is_block(self, place: int) -> bool:
        return self._open[place].scope.kind is ScopeKind.BLOCK

    def _close_down_to(self, depth: int) -> None:
        while len(self._open) > depth:
            self.end()
