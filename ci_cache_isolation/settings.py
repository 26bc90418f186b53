"""The door for settings modules: ``CACHES = isolate(CACHES)``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from ci_cache_isolation.errors import OptionError
from ci_cache_isolation.isolation.switch import install

__all__ = ["isolate"]

Caches = TypeVar("Caches", bound=Mapping[str, Any])


def isolate(caches: Caches, /) -> Caches:
    """Switch isolation on for a test settings module; return CACHES unchanged.

    Every process that imports the settings is reached, spawned workers too. Nothing is
    isolated before a test suite runs. `TypeError` for what can't be CACHES.
    """
    if not isinstance(caches, Mapping):
        raise TypeError(
            f"isolate() was given {caches!r}, which is not a dictionary of caches. "
            "Write CACHES = isolate(CACHES), behind the definition of CACHES."
        )
    try:
        install()
    except OptionError as error:
        raise SystemExit(f"ci-cache-isolation: {error}") from None
    return caches
