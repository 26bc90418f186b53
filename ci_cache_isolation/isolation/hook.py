"""The hook under ``django.core.cache.caches``: who is opened, and who is open.

Instances are never replaced: whoever holds one keeps it, so it must be reached where it
is. Other packages wrap ``create_connection`` too: wrap what is there, once.
"""

from __future__ import annotations

import functools
import gc
import threading
from collections.abc import Callable, Iterator
from typing import Any

from asgiref.local import Local
from django.conf import settings
from django.core.cache import BaseCache, CacheHandler, caches

__all__ = [
    "forget_connections",
    "live_caches",
    "open_caches",
    "unwatch",
    "watch",
]

Watcher = Callable[[str, object], None]
_MARK = "_ci_cache_isolation"
_watcher: Watcher | None = None
_openings: set[tuple[int, int, str]] = set()


def watch(watcher: Watcher) -> None:
    """Call ``watcher(alias, cache)`` for every cache that is opened from now on."""
    global _watcher  # noqa: PLW0603 - the class that is wrapped is global too
    _watcher = watcher
    original = CacheHandler.create_connection
    if _is_wrapped(original):
        return

    @functools.wraps(original)
    def create_connection(self: CacheHandler, alias: str) -> BaseCache:
        opening = (threading.get_ident(), id(self), alias)
        if opening in _openings:
            # Another wrapper hides that we are above it as well.
            return original(self, alias)
        _openings.add(opening)
        try:
            cache = original(self, alias)
        finally:
            _openings.discard(opening)
        if _watcher is not None:
            _watcher(alias, cache)
        return cache

    setattr(create_connection, _MARK, create_connection)
    CacheHandler.create_connection = create_connection  # type: ignore[method-assign]


def unwatch() -> None:
    """Watch no more. A wrapper that others have wrapped stays, and does nothing."""
    global _watcher  # noqa: PLW0603
    _watcher = None
    current: Any = CacheHandler.create_connection
    if vars(current).get(_MARK) is current:
        CacheHandler.create_connection = current.__wrapped__  # type: ignore[method-assign]


def open_caches() -> Iterator[tuple[str, BaseCache]]:
    """Yield the aliases that are open in this thread, and their caches."""
    for alias in caches.settings if settings.configured else ():
        cache = getattr(caches._connections, alias, None)  # type: ignore[attr-defined]  # noqa: SLF001
        if cache is not None:
            yield alias, cache


def live_caches() -> Iterator[BaseCache]:
    """Yield all caches alive in this process, whoever holds them.

    By type, never by ``isinstance``: that would wake lazy objects.
    """
    for found in gc.get_objects():
        if issubclass(type(found), BaseCache):
            yield found


def forget_connections() -> None:
    """Let every alias be opened anew, as ``override_settings(CACHES=...)`` does.

    For a forked worker: the connections that it inherited are its parent's sockets.
    """
    caches._connections = Local(caches.thread_critical)  # type: ignore[attr-defined]  # noqa: SLF001


def _is_wrapped(create_connection: Any) -> bool:
    while create_connection is not None:
        if _MARK in vars(create_connection):
            return True
        create_connection = getattr(create_connection, "__wrapped__", None)
    return False
