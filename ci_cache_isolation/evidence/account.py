"""What one scope, mostly a test, did to the caches: what it looked at, what it left.

Pure bookkeeping. Only the first read of an entry counts, and only before the scope's
own first write: afterwards it meets what is its own. An entry that it stored and
deleted again, or deleted where there was none, it has not left.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from typing import NamedTuple

from ci_cache_isolation.evidence.globs import is_match

__all__ = [
    "Account",
    "Entry",
    "How",
    "Left",
    "Look",
    "PatternSearch",
    "Searched",
    "Site",
    "remembered",
]

_REMEMBERED = "memoised"


class Entry(NamedTuple):
    """One entry of one cache. ``place`` is what aliases with common entries share."""

    place: str
    prefix: str
    version: str
    key: str

    @property
    def is_memoised(self) -> bool:
        """Whether it is all that one function remembers, and no cache's entry."""
        return self.place == _REMEMBERED


def remembered(name: str) -> Entry:
    """Return the entry that represents all that a memoised function remembers."""
    return Entry(_REMEMBERED, "", "", name)


class PatternSearch(NamedTuple):
    """Entries of one cache whose keys match a pattern."""

    place: str
    prefix: str
    version: str
    pattern: str

    def finds(self, entry: Entry) -> bool:
        """Return whether an entry is among them."""
        return entry[:3] == self[:3] and is_match(self.pattern, entry.key)


class Site(NamedTuple):
    """Where an operation was called: ``file:line`` of the application and the test."""

    at: str
    in_test: str


class Look(NamedTuple):
    """A first look. ``hit`` is None where it can't be known.

    ``holder`` names the enclosing scope that had stored what was found, if any.
    """

    alias: str
    operation: str
    hit: bool | None
    site: Site
    holder: str


class Searched(NamedTuple):
    """A first search. ``known`` are keys that the scope had looked at or written."""

    look: Look
    known: tuple[str, ...]


class How(enum.StrEnum):
    """What a scope has done to an entry, or to other state, that others could meet."""

    STORED = "stored"
    DELETED = "deleted"
    CLEARED = "cleared"
    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


class Left(NamedTuple):
    """What is left. ``deadline`` is when it expires by the clock that runs on.

    It is None for what never does. A clock that a test stops or moves says nothing.
    ``expires_in`` are the seconds from the scope's end until then.
    """

    alias: str
    operation: str
    how: How
    deadline: float | None
    site: Site
    expires_in: float | None = None


class Account:
    """The access log of one scope.

    ``holder_of`` names the enclosing scope that has an entry, '' if none has. Sites are
    functions, since to find one takes longer than all else here.
    """

    def __init__(self, holder_of: Callable[[Entry], str]) -> None:
        self._holder_of = holder_of
        self._own: set[Entry] = set()
        # The tests that ran meanwhile, or had just run: for a wider scope.
        self.during: dict[str, None] = {}
        self.looked: dict[Entry, Look] = {}
        self.searched: dict[PatternSearch, Searched] = {}
        self.left: dict[Entry, Left] = {}
        self.cleared: dict[str, Left] = {}
        self.emptied: list[PatternSearch] = []

    def look(
        self,
        entry: Entry,
        alias: str,
        operation: str,
        hit: bool | None,  # noqa: FBT001 - as `Look` has it
        site: Callable[[], Site],
    ) -> None:
        """Take note of the first read of what is not the scope's own."""
        if entry in self._own or entry in self.looked or entry.place in self.cleared:
            return
        if any(search.finds(entry) for search in self.emptied):
            return
        holder = self._holder_of(entry) if hit is not False else ""
        self.looked[entry] = Look(alias, operation, hit, site(), holder)

    def search(
        self,
        search: PatternSearch,
        held: Iterable[Entry],
        alias: str,
        operation: str,
        site: Callable[[], Site],
    ) -> None:
        """Take note of a search: it reads all that it would find.

        ``held`` are the entries of enclosing scopes. Of others it is not known yet who
        leaves what.
        """
        for entry in filter(search.finds, held):
            self.look(entry, alias, operation, True, site)  # noqa: FBT003
        is_own = search.place in self.cleared or search in self.emptied
        if not is_own and search not in self.searched:
            known = filter(search.finds, self._own | self.looked.keys())
            look = Look(alias, operation, None, site(), "")
            keys = tuple(sorted(entry.key for entry in known))
            self.searched[search] = Searched(look, keys)

    def delete_found(
        self,
        search: PatternSearch,
        held: Iterable[Entry],
        alias: str,
        operation: str,
        site: Callable[[], Site],
    ) -> None:
        """Take note that nothing is there that a search found; after `search`."""
        for entry in filter(search.finds, {**dict.fromkeys(held), **self.left}):
            self.delete(entry, alias, operation, site)
        self.emptied.append(search)

    def store(
        self,
        entry: Entry,
        alias: str,
        operation: str,
        deadline: float | None,
        site: Callable[[], Site],
    ) -> None:
        """Take note that something was stored or changed."""
        self._own.add(entry)
        before = self.left.get(entry)
        at = site() if before is None or before.how is not How.STORED else before.site
        self.left[entry] = Left(alias, operation, How.STORED, deadline, at)

    def delete(
        self, entry: Entry, alias: str, operation: str, site: Callable[[], Site]
    ) -> None:
        """Take note that nothing is there any more; after `look`, which came first.

        What the scope itself stored is simply not left.
        """
        self._own.add(entry)
        looked = self.looked.get(entry)
        was_there = bool(looked and looked.hit) or bool(self._holder_of(entry))
        self.left.pop(entry, None)
        if was_there and entry.place not in self.cleared:
            self.left[entry] = Left(alias, operation, How.DELETED, None, site())

    def clear(
        self, place: str, alias: str, operation: str, site: Callable[[], Site]
    ) -> None:
        """Take note that all entries of a place were deleted, the scope's own too."""
        for entry in [each for each in self.left if each.place == place]:
            del self.left[entry]
        if place not in self.cleared:
            self.cleared[place] = Left(alias, operation, How.CLEARED, None, site())

    def holds(self, entry: Entry) -> bool | None:
        """Return whether an entry is in this scope; None if that is not its doing."""
        left = self.left.get(entry)
        if left is not None:
            return left.how is How.STORED
        return False if entry.place in self.cleared or entry in self._own else None

    @property
    def tidied(self) -> list[Entry]:
        """What the scope made sure does not stand there when it ends."""
        return sorted(self._own - self.left.keys())

    def close(self, now: float) -> None:
        """Drop what has expired when the scope ends; of the rest say when it does."""
        for entry, left in list(self.left.items()):
            if left.deadline is not None:
                if left.deadline <= now:
                    del self.left[entry]
                else:
                    expires_in = round(left.deadline - now, 3)
                    self.left[entry] = left._replace(expires_in=expires_in)
