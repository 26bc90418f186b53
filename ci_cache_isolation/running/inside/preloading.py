"""What every fork would import for itself: the clients of the caches' servers.

Backends import them when a cache is first used. In forks that takes longer than the
tests: 0.1 s for redis, 0.4 s where no bytecode is kept, as in many containers.
"""

from __future__ import annotations

import importlib
from contextlib import suppress

from django.conf import settings
from django.utils.module_loading import import_string

__all__ = ["CLIENTS", "import_cache_clients"]

CLIENTS = {
    "django.core.cache.backends.redis.RedisCache": "redis",
    "django.core.cache.backends.memcached.PyMemcacheCache": "pymemcache",
    "django.core.cache.backends.memcached.PyLibMCCache": "pylibmc",
    "django_redis.cache.RedisCache": "django_redis.client",
    "django_valkey.cache.ValkeyCache": "django_valkey.client",
}


def import_cache_clients() -> None:
    """Import what the backends of all aliases use; no cache is opened."""
    for alias in settings.CACHES.values():
        # What can't be imported fails where it is used, if it is.
        with suppress(Exception):
            for owner in import_string(alias["BACKEND"]).__mro__:
                client = CLIENTS.get(f"{owner.__module__}.{owner.__qualname__}")
                if client is not None:
                    importlib.import_module(client)
