"""What every fork would import for itself: the clients of the caches' servers.

Backends import them when a cache is first used. In forks that takes longer than the
tests: 0.1 s for redis, 0.4 s where no bytecode is kept, as in many containers.
"""

from __future__ import annotations

import importlib
from contextlib import suppress

from django.conf import settings
from django.utils.module_loading import import_string

from ci_cache_isolation.isolation.dialects import dialect_of

__all__ = ["client_module", "import_cache_clients"]


def client_module(cache_class: type) -> str:
    """Return the module that caches of a class import when first used, '' if none."""
    dialect = dialect_of(cache_class)
    return "" if dialect is None else dialect.client_module(cache_class)


def import_cache_clients() -> None:
    """Import what the backends of all aliases use; no cache is opened."""
    for alias in settings.CACHES.values():
        # What can't be imported fails where it is used, if it is.
        with suppress(Exception):
            if module := client_module(import_string(alias["BACKEND"])):
                importlib.import_module(module)
