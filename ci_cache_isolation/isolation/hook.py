"""The hook under ``django.core.cache.caches``: who is opened, and who is open.

Instances are never replaced: whoever holds one keeps it, so it must be reached where it
is. Other packages wrap ``create_connection`` too: wrap what is there, once.
"""

from __future__ import annotations

import functools
import gc
import sys
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings
from django.core.cache import BaseCache, CacheHandler, caches

from ci_cache_isolation.isolation.inherited import PLACES
from ci_cache_isolation.isolation.process_state import (
    STATE,
    Expecting,
    Watcher,
    expect_nothing,
)

__all__ = [
    "alias_of",
    "is_watching",
    "live_caches",
    "open_caches",
    "unwatch",
    "watch",
]

_MARK = "_ci_cache_isolation"


def watch(watcher: Watcher, expect: Expecting = expect_nothing) -> None:
    """Call ``watcher(alias, cache)`` for every cache that is opened from now on.

    ``expect(alias, backend)`` is called before: no object of the class may exist yet.
    """
    STATE.watcher, STATE.expect = watcher, expect
    if "create_connection" not in vars(CacheHandler):
        # The run is not going to start.
        return
    original = CacheHandler.create_connection
    if _is_wrapped(original):
        return

    @functools.wraps(original)
    def create_connection(self: CacheHandler, alias: str) -> BaseCache:
        opening = (threading.get_ident(), id(self), alias)
        if opening in STATE.openings:
            # Another wrapper hides that we are above it as well.
            return original(self, alias)
        STATE.openings.add(opening)
        try:
            if alias in self.settings:
                STATE.expect(alias, str(self.settings[alias].get("BACKEND", "")))
            cache = original(self, alias)
        finally:
            STATE.openings.discard(opening)
        if STATE.watcher is not None:
            STATE.watcher(alias, cache)
        return cache

    setattr(create_connection, _MARK, create_connection)
    CacheHandler.create_connection = create_connection  # type: ignore[method-assign]


def unwatch() -> None:
    """Watch no more. A wrapper that others have wrapped stays, and does nothing."""
    STATE.watcher, STATE.expect = None, expect_nothing
    current: Any = CacheHandler.create_connection
    if vars(current).get(_MARK) is current:
        CacheHandler.create_connection = current.__wrapped__  # type: ignore[method-assign]


def open_caches() -> Iterator[tuple[str, BaseCache]]:
    """Yield the aliases that are open in this thread, and their caches."""
    for alias in caches.settings if settings.configured else ():
        opened = getattr(caches, "_connections", None)
        cache = getattr(opened, alias, None)
        if cache is not None:
            yield alias, cache


def live_caches() -> Iterator[Any]:
    """Yield all caches alive in this process, whoever holds them.

    By type, never by ``isinstance``: that would wake lazy objects. Backends that are
    no ``BaseCache`` are known by their classes in settings.
    """
    kinds = [
        kind
        for root in (BaseCache, *_backends())
        for kind in _with_subclasses(root)
        if hasattr(kind, "__dict__")
    ]
    # By ids, since a class may forbid to be hashed. An object refers to its class, and
    # to look for that is faster than to go through the million objects of a project.
    ids = set(map(id, kinds))
    for found in gc.get_referrers(*kinds):
        if id(type(found)) in ids:
            yield found


def _with_subclasses(kind: type) -> Iterator[type]:
    yield kind
    subclasses: list[type] = type.__subclasses__(kind)
    for each in subclasses:
        yield from _with_subclasses(each)


def alias_of(cache: Any) -> str | None:
    """Return the alias that a cache must have been opened for; None if none fits.

    For caches that were opened before anybody watched, and that others hold.
    """
    kind = f"{type(cache).__module__}.{type(cache).__qualname__}"
    of_kind = {
        alias: conf
        for alias, conf in (caches.settings.items() if settings.configured else ())
        if str(conf.get("BACKEND")) == kind or _class_of(conf) is type(cache)
    }
    fitting = [alias for alias, conf in of_kind.items() if _fits(cache, conf)]
    return next(iter(fitting or of_kind), None)


def _class_of(conf: Mapping[str, Any]) -> type | None:
    module, _, name = str(conf.get("BACKEND", "")).rpartition(".")
    return getattr(sys.modules.get(module), name, None)


def _fits(cache: Any, conf: Mapping[str, Any]) -> bool:
    state = vars(cache)
    location = conf.get("LOCATION", "")
    places = [state[name] for name in PLACES if name in state]
    wanted = (location, [location], [*location])
    return (
        state.get("key_prefix", "") == conf.get("KEY_PREFIX", "")
        and state.get("version", 1) == conf.get("VERSION", 1)
        and (not places or any(place in wanted for place in places))
    )


def is_watching() -> bool:
    """Try whether opening a cache comes by here, with one that keeps nothing.

    Other wrappers need not say what they wrap, so looking would not do.
    """
    watcher, expect = STATE.watcher, STATE.expect
    seen: list[object] = []
    STATE.watcher = lambda _, cache: seen.append(cache)
    STATE.expect = expect_nothing
    backend = "django.core.cache.backends.dummy.DummyCache"
    try:
        CacheHandler({"probe": {"BACKEND": backend}}).create_connection("probe")
    finally:
        STATE.watcher, STATE.expect = watcher, expect
    return bool(seen) and watcher is not None


def _backends() -> set[type]:
    """Return the classes of configured backends that are imported already."""
    found: set[type] = set()
    for conf in caches.settings.values() if settings.configured else ():
        backend = _class_of(conf)
        if isinstance(backend, type) and backend.__module__ != "builtins":
            found.add(backend)
    return found


def _is_wrapped(create_connection: Any) -> bool:
    while create_connection is not None:
        if _MARK in vars(create_connection):
            return True
        create_connection = getattr(create_connection, "__wrapped__", None)
    return False
