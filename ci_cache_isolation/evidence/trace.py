"""What a test left in its process besides caches, as a fork has told it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from ci_cache_isolation.evidence.account import How
from ci_cache_isolation.state.comparing import Mark

__all__ = ["Trace", "read"]


class Trace(NamedTuple):
    """What one or several tests left at a place, as it is told.

    ``name`` is what it is called in Python, ``path`` by what name it can be registered,
    '' if it can't. ``was`` and ``became`` are kinds and lengths, never values.
    ``at`` is the line that changed it, where that was watched.
    """

    container: int
    key: str | None
    name: str
    path: str
    how: How
    was: str
    became: str
    at: str = ""

    @property
    def mark(self) -> Mark:
        """What identifies it in a job."""
        return self.container, self.key


def read(path: Path) -> list[Trace]:
    """Return what a fork has told, nothing if it has not."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        traces = (Trace(*row) for row in rows)
        return [each._replace(how=How(each.how)) for each in traces]
    except (OSError, ValueError, TypeError):
        return []
