"""The kinds of stores, and which cache is of which kind.

A store is chosen for each cache from its backend's class, unless an option names
another one for its alias. A new kind of store is a new module here, and its name below.

A module is loaded when a cache first needs it: a project whose caches are in memory
starts without all that servers take.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, cast

from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.locmem import LocMemCache
from django.utils.module_loading import import_string

from ci_cache_isolation.isolation.stores.base import Store

if TYPE_CHECKING:
    from ci_cache_isolation.isolation.dialects import Dialect

__all__ = ["NAMES", "Store", "name_for", "possible_names", "store_class"]

_CLASSES = MappingProxyType(
    {
        "memory": f"{__name__}.memory.MemoryStore",
        "keyspace": f"{__name__}.sectioned.SectionedStore",
        "files": f"{__name__}.sectioned.SectionedStore",
        "private-server": f"{__name__}.private.PrivateStore",
        "none": f"{__name__}.unmanaged.UnmanagedStore",
    }
)
NAMES = tuple(_CLASSES)
"""What stores are called in options."""


def store_class(name: str) -> type[Store]:
    """Return the class of the store that an option calls so."""
    return cast("type[Store]", import_string(_CLASSES[name]))


def name_for(cache_class: object) -> str | None:
    """Return the name of the store for a backend's class, None where there is none.

    A backend may be any callable for Django, which is none for us.
    """
    if not isinstance(cache_class, type):
        return None
    if issubclass(cache_class, LocMemCache):
        return "memory"
    if issubclass(cache_class, FileBasedCache):
        return "files"
    if issubclass(cache_class, DummyCache):
        return "none"
    return None if _dialect_of(cache_class) is None else "keyspace"


def possible_names(cache_class: type) -> tuple[str, ...]:
    """Return what options may call the store of a backend's class, the usual first."""
    name = name_for(cache_class)
    if name == "keyspace" and store_class("private-server").can_serve(cache_class):
        return name, "private-server", "none"
    return ("none",) if name in {None, "none"} else (str(name), "none")


def _dialect_of(cache_class: type) -> Dialect | None:
    dialect_of = import_string("ci_cache_isolation.isolation.dialects.dialect_of")
    return cast("Dialect | None", dialect_of(cache_class))
