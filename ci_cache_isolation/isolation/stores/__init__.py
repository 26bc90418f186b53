"""The kinds of stores, and which cache is of which kind.

A store is chosen for each cache from its backend's class, unless an option names
another one for its alias. A new kind of store is a new module here.
"""

from __future__ import annotations

from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.locmem import LocMemCache

from ci_cache_isolation.isolation.dialects import dialect_of
from ci_cache_isolation.isolation.stores.base import Lifted, Store
from ci_cache_isolation.isolation.stores.memory import MemoryStore
from ci_cache_isolation.isolation.stores.nothing import NothingStore
from ci_cache_isolation.isolation.stores.private import PrivateStore
from ci_cache_isolation.isolation.stores.sectioned import SectionedStore

__all__ = [
    "KINDS",
    "NAMES",
    "Lifted",
    "MemoryStore",
    "NothingStore",
    "PrivateStore",
    "SectionedStore",
    "Store",
    "name_for",
]

KINDS: tuple[type[Store], ...] = (
    MemoryStore,
    SectionedStore,
    PrivateStore,
    NothingStore,
)
NAMES = tuple(name for kind in KINDS for name in kind.names)
"""What stores are called in options."""


def name_for(cache_class: type) -> str | None:
    """Return the name of the store for a backend's class, None where there is none."""
    if issubclass(cache_class, LocMemCache):
        return "memory"
    if issubclass(cache_class, FileBasedCache):
        return "files"
    if issubclass(cache_class, DummyCache):
        return "none"
    return None if dialect_of(cache_class) is None else "keyspace"
