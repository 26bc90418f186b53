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
from collections.abc import Hashable, Iterable, Iterator, MutableMapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from django.core.cache.backends import locmem

from ci_cache_isolation.isolation.stores.base import Store

__all__ = ["MemoryStore"]

V = TypeVar("V")

# Typed here because django-stubs leaves the module's dictionaries out.
_caches: dict[str, MutableMapping[str, bytes]] = locmem._caches  # type: ignore[attr-defined]  # noqa: SLF001
_expire_info: dict[str, MutableMapping[str, float | None]] = locmem._expire_info  # type: ignore[attr-defined]  # noqa: SLF001
_locks: dict[str, threading.Lock] = locmem._locks  # type: ignore[attr-defined]  # noqa: SLF001


class Memory(NamedTuple):
    """One LOCATION's dictionaries, and the lock that goes with them."""

    identity: Hashable
    entries: MutableMapping[str, bytes]
    expiries: MutableMapping[str, float | None]
    lock: AbstractContextManager[Any]


class Kept(NamedTuple):
    """A copy of one memory's contents. Entries are pickled, so it can't change."""

    entries: dict[str, bytes]
    expiries: dict[str, float | None]


Contents = dict[Hashable, Kept]
"""Contents by memory's identity; one that is missing is empty."""

NOTHING = Kept({}, {})
MISSING = object()


class Private(NamedTuple):
    """A memory that Django doesn't list, and the caches known to use it."""

    memory: Memory
    holders: weakref.WeakSet[Any]


@dataclass(frozen=True, slots=True)
class LiftedContents:
    """What inner sections saw while an outer one is in use."""

    enclosing: list[Contents]
    innermost: Contents


class MemoryStore(Store):
    """Sections of every LocMemCache in this process."""

    name = "memory"

    def __init__(self) -> None:
        # _enclosing[n] is what section n held when section n + 1 began in it.
        self._enclosing: list[Contents] = []
        # Subclasses may bring dictionaries of their own, which Django doesn't list.
        self._private: dict[Hashable, Private] = {}

    @staticmethod
    def handles(cache_class: type) -> bool:
        """Tell whether this is LocMemCache or derived from it."""
        return issubclass(cache_class, locmem.LocMemCache)

    def adopt(self, cache: object) -> bool:
        """Remember a cache whose dictionaries are its own."""
        entries = getattr(cache, "_cache", None)
        expiries = getattr(cache, "_expire_info", None)
        if not isinstance(entries, dict) or not isinstance(expiries, dict):
            return False
        if any(entries is listed for listed in _caches.values()):
            return True
        identity = id(entries)
        if identity not in self._private:
            lock = getattr(cache, "_lock", None) or nullcontext()
            memory = Memory(identity, entries, expiries, lock)
            self._private[identity] = Private(memory, weakref.WeakSet())
            # What it brings along was there before any scope that is open.
            brought = Kept(dict(entries), dict(expiries))
            for contents in self._enclosing:
                contents[identity] = brought
        self._private[identity].holders.add(cache)
        return True

    def begin(self) -> None:
        """Put a copy of the contents aside."""
        self._enclosing.append(self._read())

    def end(self) -> None:
        """Put the contents back as they were when the section began."""
        self._write(self._enclosing.pop())
        for identity, private in list(self._private.items()):
            if not private.holders and not self._holds(identity):
                del self._private[identity]

    def lift(self, depth: int) -> LiftedContents:
        """Show what the section at ``depth`` held when the next one began in it."""
        lifted = LiftedContents(self._enclosing[depth:], self._read())
        del self._enclosing[depth:]
        if lifted.enclosing:
            self._write(lifted.enclosing[0])
        return lifted

    def lower(self, lifted: LiftedContents) -> None:
        """Carry what was done since `lift` into every section that was set aside."""
        if not lifted.enclosing:
            return
        was, now = lifted.enclosing[0], self._read()
        sections = [*lifted.enclosing, lifted.innermost]
        if was != now:
            sections = [now, *(_carried(each, was, now) for each in sections[1:])]
        self._enclosing.extend(sections[:-1])
        self._write(sections[-1])

    def _memories(self) -> Iterator[Memory]:
        for location, entries in list(_caches.items()):
            yield Memory(
                location,
                entries,
                _expire_info.setdefault(location, {}),
                _locks.setdefault(location, threading.Lock()),
            )
        # A list: other threads open caches meanwhile.
        for private in list(self._private.values()):
            yield private.memory

    def _holds(self, identity: Hashable) -> bool:
        return bool(self._private[identity].memory.entries) or any(
            contents.get(identity, NOTHING).entries for contents in self._enclosing
        )

    def _read(self) -> Contents:
        contents: Contents = {}
        for identity, entries, expiries, lock in self._memories():
            if entries or expiries:
                with lock:
                    contents[identity] = Kept(dict(entries), dict(expiries))
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


def _carried(section: Contents, was: Contents, now: Contents) -> Contents:
    """Return a section's contents with the changes that led from was to now."""
    carried = dict(section)
    for identity in was.keys() | now.keys():
        before, after = was.get(identity, NOTHING), now.get(identity, NOTHING)
        if before != after:
            kept = section.get(identity, NOTHING)
            carried[identity] = _with_changes(kept, before, after)
    return carried


def _with_changes(kept: Kept, before: Kept, after: Kept) -> Kept:
    def of(contents: Kept, key: str) -> tuple[object, object]:
        return contents.entries.get(key), contents.expiries.get(key, MISSING)

    written = [key for key in after.entries if of(before, key) != of(after, key)]
    gone = {*written, *(before.entries.keys() - after.entries.keys())}
    stays = [key for key in kept.entries if key not in gone]
    # What was written later stands first: LocMemCache drops entries from the end.
    return Kept(
        _picked(after.entries, written) | _picked(kept.entries, stays),
        _picked(after.expiries, written) | _picked(kept.expiries, stays),
    )


def _picked(values: dict[str, V], keys: Iterable[str]) -> dict[str, V]:
    return {key: values[key] for key in keys if key in values}
