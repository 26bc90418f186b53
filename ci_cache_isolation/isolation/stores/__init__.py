"""One module per kind of store: how a section of it is made.

A store is chosen for each cache from its backend's class. A new kind of store is a
new module here and one more entry in `KINDS`.
"""

from __future__ import annotations

from ci_cache_isolation.isolation.stores.base import Lifted, Store
from ci_cache_isolation.isolation.stores.memory import MemoryStore
from ci_cache_isolation.isolation.stores.nothing import NothingStore

__all__ = ["KINDS", "Lifted", "Store", "kind_of"]

KINDS: tuple[type[Store], ...] = (MemoryStore, NothingStore)


def kind_of(cache_class: type) -> type[Store] | None:
    """Return the kind of store behind a backend class, None where there is none."""
    return next((kind for kind in KINDS if kind.handles(cache_class)), None)
