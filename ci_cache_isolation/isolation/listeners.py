"""What listens to caches and scopes, where the environment asks for it: by its name.

Isolation does not need it and knows no more of it than this.
"""

from __future__ import annotations

import functools
import os
import sys
from importlib import import_module

from ci_cache_isolation.isolation.environment import (
    AUDIT_VARIABLE,
    LOOK_VARIABLE,
    UNDO_VARIABLE,
    Enabled,
)
from ci_cache_isolation.isolation.stack import Listener

__all__ = ["asked", "preload"]

_MODULES = {
    LOOK_VARIABLE: "ci_cache_isolation.evidence.traces",
    UNDO_VARIABLE: "ci_cache_isolation.evidence.undoing",
    AUDIT_VARIABLE: "ci_cache_isolation.evidence.recorder",
}
_IS_OFF = (
    "ci-cache-isolation: an audit was asked for ({text}), and isolation is off "
    "({source}). With shared caches a test does not do what it does alone, so nothing "
    "is recorded. Switch isolation on.\n"
)


def asked(resolved: Enabled) -> Listener | None:
    """Return what the environment asks for, or None.

    Its module has a function ``listener`` that is given the variable's text. Where
    isolation is off that is said, once.
    """
    for variable, module in _MODULES.items():
        if text := os.environ.get(variable, "").strip():
            if resolved.value:
                listener: Listener = import_module(module).listener(text)
                return listener
            _say_it_is_off(text, resolved.source)
    return None


def preload() -> None:
    """Load all that may be asked for: for a process that forks, and no other."""
    for module in _MODULES.values():
        import_module(module)


@functools.cache
def _say_it_is_off(text: str, source: str) -> None:
    sys.stderr.write(_IS_OFF.format(text=text, source=source))
