"""Each Django test, class and process gets its own section of every cache.

Importing this package loads no settings, not even Django, and changes nothing: pytest
imports it, for the plugin's sake, in projects that have no Django at all.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ci_cache_isolation.isolation.isolated import (
        IsolatedCacheMixin,
        isolated,
        not_isolated,
    )
    from ci_cache_isolation.isolation.switch import (
        current_section,
        install,
        shared_with_children,
    )

__all__ = [
    "IsolatedCacheMixin",
    "current_section",
    "install",
    "isolated",
    "not_isolated",
    "shared_with_children",
]

_MODULES = {
    "IsolatedCacheMixin": "ci_cache_isolation.isolation.isolated",
    "isolated": "ci_cache_isolation.isolation.isolated",
    "not_isolated": "ci_cache_isolation.isolation.isolated",
    "current_section": "ci_cache_isolation.isolation.switch",
    "install": "ci_cache_isolation.isolation.switch",
    "shared_with_children": "ci_cache_isolation.isolation.switch",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)
