"""Sections in which several forks of this process meet: one of each cache for a tag."""

from __future__ import annotations

from contextlib import AbstractContextManager

from django.core.cache import caches
from django.core.cache.backends.filebased import FileBasedCache
from django.utils.module_loading import import_string

from ci_cache_isolation.isolation import switch
from ci_cache_isolation.isolation.inherited_sections import Joined, announced
from ci_cache_isolation.isolation.stores import KEYSPACE
from ci_cache_isolation.isolation.stores.sectioned import SectionedStore

__all__ = ["Meetings"]


class Meetings:
    """The tags that were used so far, and the sections that belong to them."""

    def __init__(self) -> None:
        self._sections: dict[str, Joined] = {}

    def at(self, tag: str) -> AbstractContextManager[None]:
        """Have what is started meanwhile work in the sections of a tag."""
        if tag not in self._sections:
            if not self._sections:
                _open_files()
            self._sections[tag] = _store().keep_common()
        return announced(self._sections[tag])

    def close(self) -> None:
        """Delete what was stored there, as far as this process knows of it."""
        if self._sections:
            _store().drop_common()


def _store() -> SectionedStore:
    store = switch.store_named(KEYSPACE)
    assert isinstance(store, SectionedStore)
    return store


def _open_files() -> None:
    """Open the caches in files: whoever makes a directory there is to remove it.

    Nothing is read or written by that.
    """
    for alias, configured in caches.settings.items():
        try:
            backend = import_string(configured["BACKEND"])
        except (ImportError, KeyError):
            continue
        if isinstance(backend, type) and issubclass(backend, FileBasedCache):
            _ = caches[alias]
