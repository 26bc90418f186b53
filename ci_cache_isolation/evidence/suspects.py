"""Tests that failed with what others leave in place, as a fork has told them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

__all__ = ["Counted", "Found", "Suspect", "read"]


class Suspect(NamedTuple):
    """A test that failed with a few traces in place, and who leaves them.

    ``after`` are the tests, in sequence, of which each leaves one of them.
    """

    test: str
    after: list[str]


class Counted(NamedTuple):
    """A trace: how it is called, and how many tests leave it."""

    name: str
    tests: int


class Found(NamedTuple):
    """What came of it: tests that fail alone, suspects, and all traces.

    ``is_whole`` says whether there was time for all of it.
    """

    alone: list[str]
    suspects: list[Suspect]
    left: list[Counted]
    is_whole: bool


def read(path: Path) -> Found | None:
    """Return what a fork has found; None if it did not come so far."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        alone, suspects, left, is_whole = told
        return Found(
            alone,
            [Suspect(*each) for each in suspects],
            [Counted(*each) for each in left],
            is_whole,
        )
    except (OSError, ValueError, TypeError):
        return None
