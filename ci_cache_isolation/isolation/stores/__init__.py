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

__all__ = [
    "KEYSPACE",
    "NONE",
    "PRIVATE_SERVER",
    "STORES",
    "Kind",
    "Store",
    "is_shared",
    "name_for",
    "possible_names",
    "store_class",
]

KEYSPACE = "keyspace"
NONE = "none"
PRIVATE_SERVER = "private-server"
"""What options call stores that other modules speak of."""


class Kind(Record):
    """A store's class by its dotted name, and the backends' classes that it is for.

    ``is_shared`` tells whether other processes see what such backends store.
    """

    path: str
    keeps: Callable[[type], bool]
    is_shared: bool = False


def _is_on_server(cache_class: type) -> bool:
    is_elsewhere = issubclass(cache_class, (DummyCache, FileBasedCache, LocMemCache))
    dialect_of = import_string("ci_cache_isolation.isolation.dialects.dialect_of")
    return not is_elsewhere and dialect_of(cache_class) is not None


STORES: dict[str, Kind] = {
    "memory": Kind(
        f"{__name__}.memory.MemoryStore", lambda kind: issubclass(kind, LocMemCache)
    ),
    KEYSPACE: Kind(
        f"{__name__}.sectioned.SectionedStore", _is_on_server, is_shared=True
    ),
    "files": Kind(
        f"{__name__}.sectioned.SectionedStore",
        lambda kind: issubclass(kind, FileBasedCache),
        is_shared=True,
    ),
    # By request only.
    PRIVATE_SERVER: Kind(f"{__name__}.private.PrivateStore", lambda _: False),
    NONE: Kind(
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


def is_shared(name: str | None) -> bool:
    """Return whether other processes see what a store of this name leaves as it is.

    Where there is no such store here nothing is known: they may.
    """
    kind = STORES.get(name or "")
    return kind is None or kind.is_shared


def possible_names(cache_class: type) -> tuple[str, ...]:
    """Return what options may call the store of a backend's class, the usual first."""
    name = name_for(cache_class)
    if name == KEYSPACE and store_class(PRIVATE_SERVER).can_serve(cache_class):
        return name, PRIVATE_SERVER, NONE
    return (NONE,) if name in {None, NONE} else (str(name), NONE)
