"""Which test left what in a cache, and which test looked at it: leaks, by reading.

With isolation on each test does to the caches what it does alone, so one run, in any
order, shows what every order could do.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["AUDIT_VARIABLE", "record_if_asked"]

AUDIT_VARIABLE = "CI_CACHE_ISOLATION_AUDIT"
_UNDO_VARIABLE = "CI_CACHE_ISOLATION_UNDO"
_asked: list[str] = []
_IS_OFF = (
    "ci-cache-isolation: an audit was asked for ({folder}), and isolation is off "
    "({source}). With shared caches a test does not do what it does alone, so nothing "
    "is recorded. Switch isolation on.\n"
)


def record_if_asked() -> None:
    """Keep books in this process where the environment asks for an audit; once.

    Every entry point calls it, so the variable alone is enough for any test command.
    """
    folder = os.environ.get(AUDIT_VARIABLE, "").strip()
    undone = os.environ.get(_UNDO_VARIABLE, "")
    if (folder or undone) and not _asked:
        # The recorder is loaded only where an audit is asked for.
        from ci_cache_isolation.evidence.hashing import hasher_if_asked  # noqa: PLC0415
        from ci_cache_isolation.evidence.recorder import Recorder  # noqa: PLC0415
        from ci_cache_isolation.evidence.undoing import Undoing  # noqa: PLC0415
        from ci_cache_isolation.isolation import switch  # noqa: PLC0415

        _asked.append(folder or undone)
        state = switch.state()
        if not state.value:
            sys.stderr.write(_IS_OFF.format(folder=folder, source=state.source))
            return
        recorder = (
            Undoing.asked(undone, hasher_if_asked())
            if undone
            else Recorder(Path(folder).absolute(), hasher_if_asked())
        )
        switch.STACK.watcher = recorder
        switch.watch_caches(recorder.take)
