"""An experiment on a test: what others did to some entries is undone before it begins.

In a process whose tests share their caches. What they stored is deleted again, what
they changed or deleted in their surroundings is put back, and a memoised function
forgets. So it shows which of several entries changes the outcome of the last test.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ci_cache_isolation.evidence.account import Account, Entry
from ci_cache_isolation.evidence.hashing import hasher_if_asked
from ci_cache_isolation.evidence.recorder import Recorder
from ci_cache_isolation.isolation import switch
from ci_cache_isolation.isolation.memoised import MEMOISED
from ci_cache_isolation.isolation.scopes import Scope, ScopeKind

__all__ = ["Undoing", "listener"]

_MISSING = object()


def listener(text: str) -> Undoing:
    """Return what a job's variable asks for."""
    tests, wanted = json.loads(text)
    return Undoing(tests, wanted, hasher_if_asked())


class Undoing(Recorder):
    """Keeps accounts, writes none down, and undoes what was done to what is ``wanted``.

    That is when ``tests`` tests have ended, and again as the scopes around them end:
    before the set-up of a class that follows. An entry is wanted under its alias or its
    place, since a server of a process's own has another place in another process.
    """

    def __init__(
        self,
        tests: int,
        wanted: Iterable[Sequence[str]],
        hashed: Callable[[str], str] | None = None,
    ) -> None:
        super().__init__(None, hashed)
        self._hashed_key = hashed or str
        self._left = tests
        self._wanted = {
            (where, prefix, version, key)
            for alias, place, prefix, version, key in wanted
            for where in (alias, place)
            if where
        }
        self._calls: dict[Entry, tuple[Any, Any, Any]] = {}
        self._kept: dict[int, dict[Entry, tuple[Any, Any]]] = {}
        # What is to be there, by entry, when the last test begins.
        self._pending: dict[Entry, Any] = {}
        self._is_quiet = False

    def is_open(self, cache: Any) -> bool:
        """Return whether calls of a cache count: not those that undo."""
        return not self._is_quiet and super().is_open(cache)

    def entry_of(self, cache: Any, key: Any, version: Any) -> tuple[str, Entry]:
        """Return the alias and the entry, and remember by what call it is reached."""
        alias, entry = super().entry_of(cache, key, version)
        if entry not in self._calls and self._is_wanted(alias, entry):
            self._calls[entry] = cache, key, version
        return alias, entry

    def is_turning(self, *, is_aside: bool) -> None:
        """Keep the values that the scope in use has stored, if tests may change them.

        pytest sets up a class in the middle of its first test, and comes back.
        """
        super().is_turning(is_aside=is_aside)
        self.safely(self._keep)

    def ended(self, scope: Scope, account: Account | None) -> None:
        """Undo what the scope did to wanted entries, if it is time."""
        if account is not None:
            self._add(scope, account)
        self._kept.pop(id(scope), None)
        if scope.kind is ScopeKind.TEST:
            self._left -= 1
        if self._left <= 0:
            with self._quiet():
                for entry, value in self._pending.items():
                    self._put_back(entry, value)
            self._pending.clear()

    def _is_wanted(self, alias: str, entry: Entry) -> bool:
        key = entry.key if entry.is_memoised else self._hashed_key(entry.key)
        return any(
            (where, entry.prefix, entry.version, key) in self._wanted
            for where in (alias, entry.place)
        )

    def _keep(self) -> None:
        scope = self._scope()
        account = self._accounts.get(id(scope))
        if account is None or scope.kind is ScopeKind.TEST:
            return
        held = self._kept.setdefault(id(scope), {})
        with self._quiet():
            for entry, (cache, key, version) in self._calls.items():
                left = account.left.get(entry)
                # What it stored before may have been changed by a test meanwhile.
                if left is not None and held.get(entry, (None,))[0] is not left:
                    with self._reaching(entry, cache):
                        value = cache.get(key, _MISSING, version=version)
                    held[entry] = left, value

    def _before(self, entry: Entry, scope: Scope) -> Any:
        """Return what enclosing scopes have stored there."""
        for each in reversed(switch.STACK.path):
            account = self._accounts.get(id(each))
            if each is not scope and account and account.holds(entry) is not None:
                return self._kept.get(id(each), {}).get(entry, (None, _MISSING))[1]
        return _MISSING

    def _add(self, scope: Scope, account: Account) -> None:
        changed = [
            entry
            for entry in account.left
            if entry in self._calls
            or (entry.is_memoised and self._is_wanted("", entry))
        ]
        changed += [entry for entry in self._calls if entry.place in account.cleared]
        for entry in changed:
            value = self._before(entry, scope)
            if scope.kind is ScopeKind.TEST:
                # Of several tests the first one found what is to be there.
                self._pending.setdefault(entry, value)
            else:
                self._pending[entry] = value

    def _put_back(self, entry: Entry, value: Any) -> None:
        if entry.is_memoised:
            MEMOISED.forget(entry.key)
            return
        cache, key, version = self._calls[entry]
        with self._reaching(entry, cache):
            if value is _MISSING:
                cache.delete(key, version=version)
            else:
                cache.set(key, value, timeout=None, version=version)

    @contextmanager
    def _reaching(self, entry: Entry, cache: Any) -> Iterator[None]:
        """Have a cache reach an entry that its key function made another time.

        It may make another key by now: that of another tenant.
        """
        if entry not in self._names:
            yield
            return
        function = cache.key_func
        cache.key_func = lambda *_: entry.key
        try:
            yield
        finally:
            cache.key_func = function

    @contextmanager
    def _quiet(self) -> Iterator[None]:
        self._is_quiet = True
        try:
            yield
        finally:
            self._is_quiet = False
