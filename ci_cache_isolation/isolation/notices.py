"""What the user must be told, kept until no test is running.

A warning in the middle of a test would be caught, counted or turned into a failure by
that test.
"""

from __future__ import annotations

import sys
import warnings

from ci_cache_isolation.errors import CacheIsolationWarning

__all__ = ["note", "take", "warn"]

_kept: dict[str, bool] = {}
"""Text of each notice, and whether it was given out."""


def note(text: str) -> None:
    """Keep a notice; one that was given out before is not given out again."""
    _kept.setdefault(text, False)


def take() -> list[str]:
    """Return the notices that nobody has taken yet."""
    fresh = [text for text, given_out in _kept.items() if not given_out]
    _kept.update(dict.fromkeys(fresh, True))
    return fresh


def warn() -> None:
    """Give out what is kept as warnings. Warnings that are errors fail no test."""
    for text in take():
        try:
            warnings.warn(text, CacheIsolationWarning, stacklevel=2)
        except CacheIsolationWarning:
            sys.stderr.write(f"CacheIsolationWarning: {text}\n")
