"""The access log of this process: an account for each scope, written when it ends."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from ci_cache_isolation.evidence import notes
from ci_cache_isolation.evidence.account import Account, Entry, How, PatternSearch, Site
from ci_cache_isolation.evidence.call_site import call_site
from ci_cache_isolation.evidence.called import Called
from ci_cache_isolation.evidence.hashing import hasher_if_asked
from ci_cache_isolation.evidence.memoised_calls import MemoisedCalls
from ci_cache_isolation.evidence.operations import wrap_operations
from ci_cache_isolation.isolation import notices, switch
from ci_cache_isolation.isolation.clocks import steady
from ci_cache_isolation.isolation.keys import made_by_user
from ci_cache_isolation.isolation.memoised import MEMOISED
from ci_cache_isolation.isolation.patches import Patches
from ci_cache_isolation.isolation.process import new_lock, process_token
from ci_cache_isolation.isolation.scopes import Scope, ScopeKind
from ci_cache_isolation.isolation.stores import NONE, name_for, store_class

__all__ = ["Recorder", "listener"]

_ALIAS = "_ci_cache_isolation_audited"
_STOPPED = (
    "The audit of this process has stopped: {error}. What its tests do to caches from "
    "now on is not known. The tests are not affected."
)
_OUTSIDE = Scope(ScopeKind.SESSION, "")


def listener(folder: str) -> Recorder:
    """Return what records into a folder, as the environment names it."""
    return Recorder(Path(folder).absolute(), hasher_if_asked())


class Recorder:
    """Keeps an account for every scope that touches a cache. It fails nobody's test.

    Keys are recorded as ``hashed`` has them, if it is given; nothing is without a
    folder.
    """

    def __init__(
        self, folder: Path | None, hashed: Callable[[str], str] | None = None
    ) -> None:
        self._folder = folder
        self._hashed = hashed
        self._patches = Patches()
        self._accounts: dict[int, Account] = {}
        self._lock = new_lock(self, "_lock")
        # What the user calls entries whose keys his own function makes.
        self._names: dict[Entry, str] = {}
        self._file: tuple[int, Any] | None = None
        self._is_stopped = False
        self._test = ""
        self._test_began = 0.0
        self._memoised = MemoisedCalls(MEMOISED, self)

    def take(self, alias: str, cache: Any) -> None:
        """Record what is done with a cache from now on."""
        if name_for(type(cache)) in {None, NONE}:
            return
        vars(cache)[_ALIAS] = alias, _place(alias, cache)
        wrap_operations(self._patches, type(cache), self)

    def is_turning(self, *, is_aside: bool) -> None:  # noqa: ARG002
        """Record which memoised functions the scope in use has called."""
        if not self._is_stopped:
            self.safely(self._memoised.settle)

    def began(self, scope: Scope) -> None:
        """Remember which test is running: a wider fixture is set up for one of them."""
        if scope.kind is ScopeKind.TEST:
            self._test = scope.test_id or scope.name
            self._test_began = steady()

    def is_ending(self, scope: Scope) -> None:
        """Write a scope's account down, and forget it."""
        if scope.kind is not ScopeKind.BLOCK:
            self.safely(self._end, scope)

    def was_put_back(self, scope: Scope) -> None:
        """Take no notice of it: its account is written."""

    def is_open(self, cache: Any) -> bool:
        """Return whether anything is to be recorded about a cache."""
        return not self._is_stopped and _ALIAS in vars(cache)

    def note(self, noting: Callable[[Called], None], call: Called) -> None:
        """Have a call recorded, by what follows. It fails nobody's test."""
        self.safely(noting, call)

    def look(
        self, cache: Any, key: Any, version: Any, operation: str, *, hit: bool | None
    ) -> None:
        """Record that a key was read or tested."""
        alias, entry = self.entry_of(cache, key, version)
        self._account().look(entry, alias, operation, hit, self.site)

    def store(
        self,
        cache: Any,
        key: Any,
        version: Any,
        operation: str,
        deadline: float | None,
    ) -> None:
        """Record that something was stored under a key."""
        alias, entry = self.entry_of(cache, key, version)
        self._account().store(entry, alias, operation, deadline, self.site)

    def delete(self, cache: Any, key: Any, version: Any, operation: str) -> None:
        """Record that nothing is stored under a key any more."""
        alias, entry = self.entry_of(cache, key, version)
        self._account().delete(entry, alias, operation, self.site)

    def search(  # noqa: PLR0913
        self,
        cache: Any,
        pattern: str,
        version: Any,
        prefix: str | None,
        operation: str,
        *,
        deletes: bool,
    ) -> None:
        """Record that keys were searched by a pattern, or deleted by one."""
        alias, entry = self.entry_of(cache, pattern, version)
        is_made = entry in self._names
        search = PatternSearch(
            entry.place,
            entry.prefix if prefix is None or is_made else str(prefix),
            entry.version,
            entry.key if is_made else pattern,
        )
        held, account = self._held(), self._account()
        account.search(search, held, alias, operation, self.site)
        if deletes:
            account.delete_found(search, held, alias, operation, self.site)

    def clear(self, cache: Any, operation: str) -> None:
        """Record that the cache holds nothing any more."""
        alias, place = vars(cache)[_ALIAS]
        self._account().clear(place, alias, operation, self.site)

    def called(
        self, entry: Entry, site: Callable[[], Site] | None, *, hit: bool | None
    ) -> None:
        """Record that a memoised function was asked, and remembers."""
        account, at = self._account(), site or self.site
        account.look(entry, "", "call", hit, at)
        account.store(entry, "", "call", None, at)

    def forgot(self, entry: Entry, site: Callable[[], Site] | None) -> None:
        """Record that a memoised function was told to forget."""
        self._account().delete(entry, "", "cache_clear", site or self.site)

    def entry_of(self, cache: Any, key: Any, version: Any) -> tuple[str, Entry]:
        """Return the alias and the entry that a key stands for."""
        alias, place = vars(cache)[_ALIAS]
        used = version if version is not None else getattr(cache, "version", 1)
        prefix = str(getattr(cache, "key_prefix", ""))
        made = None
        # It may refuse a key, which is then the test's own affair.
        with suppress(Exception):
            made = made_by_user(cache, key, prefix, used)
        if made is None:
            return alias, Entry(place, prefix, str(used), notes.key_text(key))
        # What it makes of a key is all that tells entries apart.
        entry = Entry(place, "", "", notes.key_text(made))
        self._names.setdefault(entry, notes.key_text(key))
        return alias, entry

    def site(self) -> Site:
        """Return where the running operation was called."""
        return call_site(self._scope().function)

    def _scope(self) -> Scope:
        for scope in reversed(switch.STACK.path):
            if scope.kind is not ScopeKind.BLOCK:
                return scope
        return _OUTSIDE

    def _account(self) -> Account:
        scope = self._scope()
        account = self._accounts.get(id(scope))
        if account is None:
            account = self._accounts[id(scope)] = Account(self._holder_of)
        account.during.setdefault(self._test)
        return account

    def _holder_of(self, entry: Entry) -> str:
        """Return the name of the enclosing scope that holds an entry, '' if none."""
        own = self._scope()
        for scope in reversed(switch.STACK.path):
            account = self._accounts.get(id(scope))
            if scope is not own and account is not None:
                holds = account.holds(entry)
                if holds is not None:
                    return scope.name if holds else ""
        return ""

    def _held(self) -> list[Entry]:
        """Return the entries that enclosing scopes hold."""
        own = self._scope()
        accounts = [
            self._accounts[id(scope)]
            for scope in switch.STACK.path
            if scope is not own and id(scope) in self._accounts
        ]
        stored = dict.fromkeys(
            entry
            for account in accounts
            for entry, left in account.left.items()
            if left.how is How.STORED
        )
        return [entry for entry in stored if self._holder_of(entry)]

    def _end(self, scope: Scope) -> None:
        account = self._accounts.get(id(scope))
        try:
            if account is not None or scope.kind is ScopeKind.TEST:
                self.ended(scope, account)
        finally:
            self._accounts.pop(id(scope), None)

    def ended(self, scope: Scope, account: Account | None) -> None:
        """Write a scope's account down."""
        if account is not None:
            account.close(steady())
        path = switch.STACK.path
        around = [each.name for each in path if each.kind is not ScopeKind.BLOCK]
        seconds = steady() - self._test_began if scope.kind is ScopeKind.TEST else 0.0
        line = notes.line(scope, around, account, self._hashed, seconds, self._names)
        self._open_file().write(line.encode())

    def _open_file(self) -> Any:
        if self._file is None or self._file[0] != os.getpid():
            assert self._folder is not None
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = self._folder / f"{os.getpid()}-{process_token()}.jsonl"
            # Every line is the kernel's business as soon as it is whole.
            # Raw: a buffer has a lock, which another thread may hold at a fork.
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
            descriptor = os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o600)
            self._file = os.getpid(), os.fdopen(descriptor, "wb", 0)
        return self._file[1]

    def safely(self, work: Callable[..., None], *args: Any) -> None:
        """Do some of this book-keeping. It fails nobody's test."""
        try:
            with self._lock:
                work(*args)
        except Exception as error:  # noqa: BLE001 - the tests are not to blame
            self._is_stopped = True
            text = type(error).__name__
            if self._hashed is None:
                # It may hold a key.
                text += f": {error}"
            notices.note(_STOPPED.format(error=text))


def _place(alias: str, cache: Any) -> str:
    """Return the same text for caches that share their entries."""
    kind = name_for(type(cache))
    where = alias if kind is None else store_class(kind).place_of(alias, cache)
    # Not as it is: it may hold the password of a server.
    text = f"{kind}:{where}".encode()
    return f"{kind}:{hashlib.blake2b(text, digest_size=6).hexdigest()}"
