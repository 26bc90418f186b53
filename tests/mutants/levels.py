"""The levels of tests, the fastest first, and where each has its tests."""

from __future__ import annotations

__all__ = ["FAST", "LEVELS"]

LEVELS = {
    "unit": ("tests/unit",),
    "system": ("tests/system",),
    "exhaustive": ("tests/exhaustive",),
}
FAST = ("unit", "system")
"""The levels that have to find what all of them find."""
