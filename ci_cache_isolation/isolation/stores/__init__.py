"""The kinds of stores, and which cache is of which kind.

A store is chosen for each cache from its backend's class, unless an option names
another one for its alias. A new kind of store is a new module here, and its entry in
`STORES`.

A module is loaded when a cache first needs it: a project whose caches are in memory
starts without all that servers take.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.locmem import LocMemCache
from django.utils.module_loading import import_string

from ci_cache_isolation.isolation.records import Record
from ci_cache_isolation.isolation.stores.base import Store

__all__ = ["STORES", "Kind", "Store", "name_for", "possible_names", "store_class"]


class Kind(Record):
    """A store's class by its dotted name, and the backends' classes that it is for."""

    path: str
    keeps: Callable[[type], bool]


def _is_on_server(cache_class: type) -> bool:
    is_elsewhere = issubclass(cache_class, (DummyCache, FileBasedCache, LocMemCache))
    dialect_of = import_string("ci_cache_isolation.isolation.dialects.dialect_of")
    return not is_elsewhere and dialect_of(cache_class) is not None


STORES: dict[str, Kind] = {
    "memory": Kind(
        f"{__name__}.memory.MemoryStore", lambda kind: issubclass(kind, LocMemCache)
    ),
    "keyspace": Kind(f"{__name__}.sectioned.SectionedStore", _is_on_server),
    "files": Kind(
        f"{__name__}.sectioned.SectionedStore",
        lambda kind: issubclass(kind, FileBasedCache),
    ),
    # By request only.
    "private-server": Kind(f"{__name__}.private.PrivateStore", lambda _: False),
    "none": Kind(
        f"{__name__}.unmanaged.UnmanagedStore",
        lambda kind: issubclass(kind, DummyCache),
    ),
}
"""By what they are called in options. The last one that is for a class takes it."""


def store_class(name: str) -> type[Store]:
    """Return the class of the store that an option calls so."""
    return cast("type[Store]", import_string(STORES[name].path))


def name_for(cache_class: object) -> str | None:
    """Return the name of the store for a backend's class, None where there is none.

    A backend may be any callable for Django, which is none for us.
    """
    if not isinstance(cache_class, type):
        return None
    kinds = reversed(STORES.items())
    return next((name for name, kind in kinds if kind.keeps(cache_class)), None)


def possible_names(cache_class: type) -> tuple[str, ...]:
    """Return what options may call the store of a backend's class, the usual first."""
    name = name_for(cache_class)
    if name == "keyspace" and store_class("private-server").can_serve(cache_class):
        return name, "private-server", "none"
    return ("none",) if name in {None, "none"} else (str(name), "none")
