"""Django's backends for memcached: pymemcache and pylibmc."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Hashable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from django.core.cache.backends.base import (
    MEMCACHE_MAX_KEY_LENGTH,
    memcache_key_warnings,
)
from django.core.cache.backends.memcached import BaseMemcachedCache, PyMemcacheCache
from django.utils.module_loading import import_string

from ci_cache_isolation.isolation.clocks import Deadline, Expiries, Expiry
from ci_cache_isolation.isolation.dialects.generic import (
    TimeoutsRemembered,
    remember_as,
)

if TYPE_CHECKING:
    from ci_cache_isolation.isolation.patches import Patches

__all__ = ["MemcachedDialect"]

_MISSING: Any = object()
_CHOOSING_SERVERS = "pymemcache.client.rendezvous.RendezvousHash"
# Higher numbers are times of day.
_MOST_SECONDS = 30 * 24 * 60 * 60


class MemcachedDialect(TimeoutsRemembered):
    """``PyMemcacheCache``, ``PyLibMCCache`` and what derives from them."""

    packages = ("django",)
    key_limit = MEMCACHE_MAX_KEY_LENGTH
    counts_bytes = True
    server_kind = "memcached"

    @staticmethod
    def speaks(cache_class: type) -> bool:
        """Return whether it is one of Django's."""
        return issubclass(cache_class, BaseMemcachedCache)

    def server(self, cache: Any) -> Hashable:
        """Return its addresses."""
        return tuple(map(str, cache._servers))  # noqa: SLF001

    def patch(self, patches: Patches, cache_class: type) -> None:
        """Wrap what has to know of sections, and have no key hashed for nothing.

        pymemcache hashes each character of a key in Python to choose among its servers,
        also where there is one, and our keys are longer.
        """
        super().patch(patches, cache_class)
        if issubclass(cache_class, PyMemcacheCache):
            with suppress(ImportError):
                # The backend itself imports the package when a cache is opened.
                patches.wrap(import_string(_CHOOSING_SERVERS), "get_node", _choosing)

    @staticmethod
    def client_module(cache_class: type) -> str:
        """Return the package that its backend imports when a cache is opened."""
        return "pymemcache" if issubclass(cache_class, PyMemcacheCache) else "pylibmc"

    def redirect(self, cache: Any, url: Callable[[object], str]) -> None:
        """Exchange its addresses."""
        cache._servers = [url(0)]  # noqa: SLF001
        self.forget_client(cache)

    def copy(self, cache: Any, source: str, target: str, expiries: Expiries) -> None:
        """Get it and add it again, by way of the client: the keys are made already."""
        client = cache._cache  # noqa: SLF001
        value = client.get(source, _MISSING)
        if value is not _MISSING:
            expiry = expiries.get(source, _MISSING)
            if expiry is _MISSING:
                expiry = self.expiry(cache, cache.default_timeout)
            if isinstance(expiry, Deadline):
                # It was found, so memcached has not yet counted to its end.
                expiry = max(expiry.seconds(), 1)
            client.add(target, value, expiry or 0)
            remember_as(expiries, source, target)

    def state(self, cache: Any, full: str, expiries: Expiries) -> object:
        """Return the value, as it can be compared, and its end as it was told."""
        value = cache._cache.get(full, _MISSING)  # noqa: SLF001
        if value is _MISSING:
            return None
        return pickle.dumps(value), expiries.get(full)

    def expiry(self, cache: Any, timeout: float | None) -> Expiry:
        """Return when an entry expires, as memcached was told."""
        told = cache.get_backend_timeout(timeout)
        if told > _MOST_SECONDS:
            return int(told)
        return Deadline(told) if told else None

    def delete(self, cache: Any, names: list[str]) -> None:
        """Have the client delete them together."""
        # A key that memcached refuses was refused when it was used.
        valid = [name for name in names if not any(memcache_key_warnings(name))]
        client = cache._cache  # noqa: SLF001
        if not hasattr(client, "_get_client"):
            client.delete_multi(valid)
            return
        # pymemcache's client of many servers asks for one key after another, and keeps
        # quiet about a server that is gone. Its clients of one server do neither.
        held: dict[int, tuple[Any, list[str]]] = {}
        for name in valid:
            server = client._get_client(name)  # noqa: SLF001
            if server is None:
                raise ConnectionError("all servers are down")
            held.setdefault(id(server), (server, []))[1].append(name)
        for server, here in held.values():
            server.delete_many(here, noreply=False)


def _choosing(get_node: Callable[[Any, str], Any]) -> Callable[[Any, str], Any]:
    """Choose the one server that there is without asking."""

    def choose(self: Any, key: str) -> Any:
        nodes = self.nodes
        return nodes[0] if len(nodes) == 1 else get_node(self, key)

    return choose
