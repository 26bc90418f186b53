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
        self._private: weakref.WeakSet[locmem.LocMemCache] = weakref.WeakSet()

    @staticmethod
    def handles(cache_class: type) -> bool:
        """Tell whether this is LocMemCache or derived from it."""
        return issubclass(cache_class, locmem.LocMemCache)

    def adopt(self, cache: object) -> None:
        """Remember a cache whose dictionaries are its own."""
        entries = getattr(cache, "_cache", None)
        if isinstance(cache, locmem.LocMemCache) and not any(
            entries is listed for listed in _caches.values()
        ):
            self._private.add(cache)

    def begin(self) -> None:
        """Put a copy of the contents aside."""
        self._enclosing.append(self._read())

    def end(self) -> None:
        """Put the contents back as they were when the section began."""
        self._write(self._enclosing.pop())

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
        # Several cache objects may share what is their class's own.
        private: dict[int, Memory] = {}
        for cache in list(self._private):
            own, own_expiries = (
                getattr(cache, name, None) for name in ("_cache", "_expire_info")
            )
            # What a subclass keeps in another way is out of reach.
            if isinstance(own, dict) and isinstance(own_expiries, dict):
                lock = getattr(cache, "_lock", None) or nullcontext()
                private[id(own)] = Memory(id(own), own, own_expiries, lock)
        yield from private.values()

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
        if before == after:
            continue
        kept = section.get(identity, NOTHING)
        carried[identity] = Kept(
            _with_changes(kept.entries, before.entries, after.entries),
            _with_changes(kept.expiries, before.expiries, after.expiries),
        )
    return carried


def _with_changes(
    kept: dict[str, V], before: dict[str, V], after: dict[str, V]
) -> dict[str, V]:
    # Written later stands first: LocMemCache drops entries from the end.
    missing = object()
    written = {
        key: value for key, value in after.items() if before.get(key, missing) != value
    }
    stays = {
        key: value
        for key, value in kept.items()
        if key not in written and (key in after or key not in before)
    }
    return written | stays
