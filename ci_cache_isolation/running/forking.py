"""Whether forks may be trusted with tests here, and if not, why: in one line."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

__all__ = ["FORK_VARIABLE", "NO_FORK", "why_unsafe"]

FORK_VARIABLE = "CI_CACHE_ISOLATION_FORK"
"""Says on or off, whatever is found."""
NO_FORK = "This platform has no os.fork."
_SAID = f"{FORK_VARIABLE} is off."
_DARWIN = (
    "On macOS the system's frameworks may crash or hang in a process that was forked; "
    f"{FORK_VARIABLE}=on takes the risk."
)
_THREADS = (
    "Threads run in the process that is set up ({names}), and what waits for them in a "
    f"fork hangs; {FORK_VARIABLE}=on takes the risk."
)


def why_unsafe(threads: Sequence[str] = ()) -> str:
    """Return why tests should not run in forks, empty if they may.

    ``threads`` are those alive in the process that is going to fork.
    """
    if not hasattr(os, "fork"):
        return NO_FORK
    said = os.environ.get(FORK_VARIABLE, "").strip().lower()
    if said in {"on", "true", "yes", "1"}:
        return ""
    if said in {"off", "false", "no", "0"}:
        return _SAID
    if sys.platform == "darwin":
        return _DARWIN
    return _THREADS.format(names=", ".join(threads)) if threads else ""
