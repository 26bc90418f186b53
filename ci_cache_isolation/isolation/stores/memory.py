"""LocMemCache and its subclasses: contents are put aside, and put back in place.

In place, because every thread holds a cache object of its own on the same
dictionaries, and because code may hold such an object since import. No operation of
the cache is wrapped.

The dictionaries are those of ``django.core.cache.backends.locmem``: ``_caches``,
``_expire_info`` and ``_locks``, by LOCATION. They are read afresh at every boundary, so
caches opened in a test, in a thread or by ``override_settings(CACHES=...)`` count too.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Hashable, Iterator, MutableMapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from django.core.cache.backends import locmem

from ci_cache_isolation.isolation.process import after_fork, free_inherited, is_lock
from ci_cache_isolation.isolation.stores.living import Living, Still
from ci_cache_isolation.isolation.stores.snapshots import (
    NOTHING,
    Contents,
    Snapshot,
    SnapshotStore,
)

__all__ = ["MemoryStore"]

# Where one is not there no run starts: see `needed`.
_caches: dict[str, MutableMapping[Any, Any]] = getattr(locmem, "_caches", {})
_expire_info: dict[str, MutableMapping[Any, float | None]] = getattr(
    locmem, "_expire_info", {}
)
_locks: dict[str, threading.Lock] = getattr(locmem, "_locks", {})


_KNOWN = frozenset({"_cache", "_expire_info"})
Memory = tuple[
    Hashable,
    MutableMapping[Any, Any],
    MutableMapping[Any, float | None],
    AbstractContextManager[Any],
]
"""One LOCATION's identity, its entries and their expiries, and the lock of both."""


Private = tuple[Memory, weakref.WeakSet[Any]]
"""A memory that Django doesn't list, and the caches known to use it."""


class MemoryStore(SnapshotStore):
    """Sections of every LocMemCache in this process."""

    names = ("memory",)

    def __init__(self) -> None:
        super().__init__()
        # Subclasses may bring dictionaries of their own, which Django doesn't list.
        self._private: dict[Hashable, Private] = {}
        # Those that are shared on purpose, kept so that their ids stay theirs.
        self._left_alone: dict[int, object] = {}
        after_fork(self._after_fork)

    @staticmethod
    def place_of(alias: str, cache: Any) -> str:
        """Return the LOCATION whose entries a cache uses, if Django lists it."""
        listed = (name for name, each in _caches.items() if each is cache._cache)  # noqa: SLF001
        return next(listed, alias)

    def adopt(self, alias: str, cache: object) -> bool:  # noqa: ARG002
        """Remember a cache whose dictionaries are its own."""
        entries = getattr(cache, "_cache", None)
        expiries = getattr(cache, "_expire_info", None)
        if not isinstance(entries, dict) or not isinstance(expiries, dict):
            return False
        lock = getattr(cache, "_lock", None) or nullcontext()
        if not any(entries is listed for listed in _caches.values()):
            self._hold(cache, (id(entries), entries, expiries, lock))
        for name, others in vars(cache).items():
            if name not in _KNOWN and isinstance(others, dict):
                # As for the tagged collections of a subclass.
                self._hold(cache, (id(others), Living(others), {}, lock))
        return True

    def _hold(self, cache: object, memory: Memory) -> None:
        identity, entries, expiries, _ = memory
        if identity not in self._private:
            self._private[identity] = memory, weakref.WeakSet()
            # What it brings along was there before any scope that is open.
            self._was_there(identity, Snapshot(dict(entries), dict(expiries)))
        _, holders = self._private[identity]
        holders.add(cache)

    def leave(self, cache: object) -> None:
        """Leave a cache alone that would be in this store's hands."""
        entries = getattr(cache, "_cache", None)
        if isinstance(entries, dict):
            self._left_alone[id(entries)] = entries

    def deactivate(self) -> None:
        """Forget what was left alone."""
        self._left_alone.clear()

    def end(self) -> None:
        """Put the contents back as they were when the section began."""
        contents = self._enclosing.pop()
        if contents or not self._is_empty():
            self._write(contents)
            self._drop_private()

    def follow(self, number: int = 0, *, is_raw: bool = False) -> None:  # noqa: ARG002
        """Put the contents back; the copy stays for the section that begins."""
        if self._enclosing[-1] or not self._is_empty():
            self._write(self._enclosing[-1])
            self._drop_private()

    @staticmethod
    def _is_same(before: object, after: object) -> bool:
        """Return whether a value is the same object: who stores it makes another one.

        It may be equal, as the time is until which an entry lives that is renewed.
        """
        if isinstance(after, Still):
            return before == after
        return before is after

    def _after_fork(self) -> None:
        """Free Django's locks, which every test of the child is about to take."""
        for _, _, _, lock in self._memories():
            if is_lock(type(lock)):
                free_inherited(lock)

    def _drop_private(self) -> None:
        for identity, (memory, holders) in list(self._private.items()):
            if not holders and not self._holds(memory):
                del self._private[identity]

    def _memories(self) -> Iterator[Memory]:
        # Lists: other threads open caches meanwhile.
        for location, entries in list(_caches.items()):
            if not self._left_alone or id(entries) not in self._left_alone:
                yield (
                    location,
                    entries,
                    _expire_info.setdefault(location, {}),
                    _locks.setdefault(location, threading.Lock()),
                )
        for memory, _ in list(self._private.values()):
            yield memory

    def _is_empty(self) -> bool:
        """Return whether no memory holds anything: it is asked for every test."""
        # No loop of ours: other threads open caches meanwhile, and any() is one step.
        return not (
            any(_caches.values()) or any(_expire_info.values()) or self._private
        )

    def _holds(self, memory: Memory) -> bool:
        identity, entries, _, _ = memory
        return bool(entries) or any(
            contents.get(identity, NOTHING).entries for contents in self._enclosing
        )

    def _read(self) -> Contents:
        contents: Contents = {}
        if self._is_empty():
            return contents
        for identity, entries, expiries, lock in self._memories():
            if entries or expiries:
                with lock:
                    contents[identity] = Snapshot(dict(entries), dict(expiries))
        return contents

    def _write(self, contents: Contents) -> None:
        for identity, entries, expiries, lock in self._memories():
            kept = contents.get(identity, NOTHING)
            if entries or expiries or kept is not NOTHING:
                with lock:
                    entries.clear()
                    entries.update(kept.entries)
                    expiries.clear()
                    expiries.update(kept.expiries)
