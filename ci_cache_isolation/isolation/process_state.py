"""What this process knows of its own isolation: one object, for isolation alone.

A fork inherits it, and what must not be its parent's is made new here. A run inside a
run puts back what it found, by `switch.kept` and `switch.put_back`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from ci_cache_isolation.isolation.options import EntryPointInputs
from ci_cache_isolation.isolation.process import after_fork
from ci_cache_isolation.isolation.records import Record

if TYPE_CHECKING:
    from ci_cache_isolation.isolation.environment import Enabled
    from ci_cache_isolation.isolation.options import IsolationOptions
    from ci_cache_isolation.isolation.stack import ScopeStack

__all__ = ["STATE", "Expecting", "Kept", "Watcher", "expect_nothing"]

Watcher = Callable[[str, object], None]
"""Is given an alias and the cache that was opened for it."""

Expecting = Callable[[str, str], None]
"""Is given an alias and the name of its backend, before a cache is opened."""


def expect_nothing(alias: str, backend: str) -> None:
    """Expect nothing."""


class Kept(Record):
    """Where the switch stood, and what entry points had said."""

    inputs: EntryPointInputs
    is_installed: bool


class _ProcessState:
    __slots__ = (
        "__weakref__",
        "expect",
        "followed",
        "inputs",
        "is_enabled",
        "is_fresh_fork",
        "is_installed",
        "is_probed",
        "is_started",
        "openings",
        "options",
        "resolved",
        "suites",
        "watcher",
    )

    def __init__(self) -> None:
        self.inputs = EntryPointInputs()
        self.options: IsolationOptions | None = None
        # What was said when options were last resolved, what they were read from, and
        # what came of it.
        self.resolved: tuple[EntryPointInputs, list[object], Enabled] | None = None
        self.is_installed = False
        self.is_started = False
        self.is_fresh_fork = False
        # Under Django's caches: who is told of them, and who is opening one.
        self.watcher: Watcher | None = None
        self.expect: Expecting = expect_nothing
        self.openings: set[tuple[int, int, str]] = set()
        # Under unittest: where its suites open scopes, and whether they are to.
        self.suites: ScopeStack | None = None
        self.is_enabled: Callable[[], bool] = bool
        # The test whose scope has been opened behind the one before, until it runs.
        self.followed: object = None
        self.is_probed = False

    def begin_in_fork(self) -> None:
        """Be a child's: what other threads of the parent were opening is theirs."""
        own = threading.get_ident()
        self.openings = {each for each in self.openings if each[0] == own}
        self.is_fresh_fork = True


STATE = _ProcessState()
after_fork(STATE.begin_in_fork)
