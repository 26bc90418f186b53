"""Who calls a memoised function: seen by its own counts, when the work turns elsewhere.

A function that was called before, by whomever, only finds what it remembers; alone the
same test would have had it remember. So who calls looks, and leaves, both.

What Django remembers of content types and of sites is told by the methods that do it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any, Protocol

from ci_cache_isolation.evidence.account import Entry, Site, remembered
from ci_cache_isolation.isolation.memoised import (
    CONTENT_TYPES,
    KIND,
    OF_CONTENT_TYPES,
    OF_SITES,
    SITES,
    Memoised,
    MemoisedFunctions,
)
from ci_cache_isolation.isolation.patches import Patches

__all__ = ["MemoisedCalls"]

_OF_DJANGO = (
    (
        *(CONTENT_TYPES, "ContentTypeManager", OF_CONTENT_TYPES),
        ("_get_from_cache", "_add_to_cache", "get_for_id", "get_by_natural_key"),
    ),
    (
        *(SITES, "SiteManager", OF_SITES),
        ("_get_site_by_id", "_get_site_by_request"),
    ),
)


class MemoisedRecording(Protocol):
    """Where calls are recorded, for whoever's turn it is."""

    def called(
        self, entry: Entry, site: Callable[[], Site] | None, *, hit: bool | None
    ) -> None:
        """Record that a function was asked; without ``site``, at the caller's."""

    def forgot(self, entry: Entry, site: Callable[[], Site] | None) -> None:
        """Record that a function was told to forget."""

    def safely(self, work: Callable[..., None], *args: Any) -> None:
        """Do some of this book-keeping. It fails nobody's test."""


class _Watched:
    """A function, and what it had counted when it was last looked at."""

    __slots__ = ("counted", "entry", "function", "site")

    def __init__(self, memoised: Memoised, counted: tuple[int, int]) -> None:
        self.function = memoised.function
        self.entry = remembered(memoised.name)
        folder = os.getcwd() + os.sep  # noqa: PTH109
        at = Site(f"{memoised.file.removeprefix(folder)}:{memoised.line}", "")
        self.site = lambda: at
        self.counted = counted


class MemoisedCalls:
    """Reads the counts of all memoised functions of the project."""

    def __init__(
        self, functions: MemoisedFunctions, recording: MemoisedRecording
    ) -> None:
        self._functions = functions
        self._recording = recording
        self._patches = Patches()
        self._watched: list[_Watched] = []
        self._modules = self._resets = self._taken = 0

    def settle(self) -> None:
        """Record who was called since the last time."""
        if self._resets != self._functions.resets:
            self._resets = self._functions.resets
            for each in self._watched:
                each.counted = 0, 0
        if self._modules != len(sys.modules):
            self._find()
        counts = KIND.cache_info
        gone = False
        for each in self._watched:
            function = each.function()
            if function is None:
                gone = True
                continue
            hits, misses, _, _ = counts(function)
            if (hits, misses) != each.counted:
                self._note(each, hits, misses)
        if gone:
            self._watched = [each for each in self._watched if each.function()]

    def _note(self, each: _Watched, hits: int, misses: int) -> None:
        hits_before, misses_before = each.counted
        each.counted = hits, misses
        if hits < hits_before or misses < misses_before:
            # By a method that somebody had taken hold of before it was watched.
            self._recording.forgot(each.entry, each.site)
            hits_before = misses_before = 0
        if hits > hits_before or misses > misses_before:
            # With other arguments it may have been asked for what it did not know; and
            # what it has found may be of the same test.
            hit = True if misses == misses_before else None
            self._recording.called(each.entry, each.site, hit=hit)

    def _find(self) -> None:
        is_first = not self._modules
        self._modules = len(sys.modules)
        self._functions.find()
        found = self._functions.found[self._taken :]
        self._taken += len(found)
        for memoised in found:
            function = memoised.function()
            if function is None:
                continue
            hits, misses, _, _ = KIND.cache_info(function)
            # Who was not there before was called since then.
            each = _Watched(memoised, (hits, misses) if is_first else (0, 0))
            self._watched.append(each)
            # On the object, where it stands before the method of the class: a function
            # that forgets and is called as often as before shows the same counts.
            vars(function)["cache_clear"] = self._forgetting(each)
        for module, owner, name, methods in _OF_DJANGO:
            manager = getattr(sys.modules.get(module), owner, None)
            if manager is not None:
                entry = remembered(name)
                for method in methods:
                    self._patches.wrap(manager, method, self._calling(entry))
                self._patches.wrap(manager, "clear_cache", self._clearing(entry))

    def _forgetting(self, each: _Watched) -> Callable[[], None]:
        def cache_clear() -> None:
            function = each.function()
            self._recording.safely(self._settle_and_forget, each)
            KIND.cache_clear(function)

        return cache_clear

    def _settle_and_forget(self, each: _Watched) -> None:
        hits, misses, _, _ = KIND.cache_info(each.function())
        if (hits, misses) != each.counted:
            self._note(each, hits, misses)
        self._recording.forgot(each.entry, each.site)
        each.counted = 0, 0

    def _calling(self, entry: Entry) -> Callable[[Any], Any]:
        def wrapping(method: Any) -> Any:
            def noted(manager: Any, *args: Any, **kwargs: Any) -> Any:
                self._recording.safely(self._called, entry)
                return method(manager, *args, **kwargs)

            return noted

        return wrapping

    def _clearing(self, entry: Entry) -> Callable[[Any], Any]:
        def wrapping(method: Any) -> Any:
            def noted(manager: Any) -> Any:
                if not self._functions.is_resetting:
                    self._recording.safely(self._forgot, entry)
                return method(manager)

            return noted

        return wrapping

    def _called(self, entry: Entry) -> None:
        self._recording.called(entry, None, hit=None)

    def _forgot(self, entry: Entry) -> None:
        self._recording.forgot(entry, None)
