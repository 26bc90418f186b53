"""A server of one's own for a process, on request: raw connections are isolated too.

It is started when the first alias that asks for it is opened, on a socket that nobody
else knows, and dies with its process. Here, and only here, everything may be flushed.
"""

from __future__ import annotations

import weakref
from collections.abc import Hashable
from typing import Any

from ci_cache_isolation.isolation.process import after_fork
from ci_cache_isolation.isolation.stores.private_servers import (
    Contained,
    can_contain,
    contained_for,
    lead_first,
    lead_to,
    make_own_clients,
)
from ci_cache_isolation.isolation.stores.snapshots import (
    NOTHING,
    Contents,
    SnapshotStore,
)

__all__ = ["PrivateStore"]


class PrivateStore(SnapshotStore):
    """Sections of the servers that this process has started for itself."""

    names = ("private-server",)

    def __init__(self) -> None:
        super().__init__()
        self._servers: dict[Hashable, Contained] = {}
        self._caches: weakref.WeakSet[Any] = weakref.WeakSet()
        # Those that lead to the server of the process that this one was forked from.
        self._inherited: list[Any] = []
        self._parents: dict[Hashable, Contained] = {}
        # What they held outside of all tests, if a scope was open.
        self._at_fork: Contents | None = None
        self._is_active = False
        after_fork(self._after_fork)

    def adopt(self, alias: str, cache: Any) -> bool:  # noqa: ARG002
        """Lead a cache to a server of this process, one for each that it stands for."""
        self.activate()
        if not self._lead(cache):
            return False
        self._caches.add(cache)
        return True

    def activate(self) -> None:
        """Lead caches that were inherited, and are held by anybody, here as well."""
        self._is_active = True
        inherited, self._inherited = self._inherited, []
        for cache in inherited:
            self._lead(cache)

    def deactivate(self) -> None:
        """Leave forks to come as they are. Servers last as long as the process."""
        self._is_active = False

    @staticmethod
    def can_serve(cache_class: type) -> bool:
        """Return whether there is a server to be started for a backend."""
        return can_contain(cache_class)

    def begin(self, number: int = 0, *, is_raw: bool = False) -> None:
        """Put a copy of the contents aside, if there is any server."""
        if self._servers:
            super().begin(number, is_raw=is_raw)
        else:
            self._enclosing.append({})

    def end(self) -> None:
        """Put the contents back, if there is any server."""
        contents = self._enclosing.pop()
        if self._servers:
            self._write(contents)

    def _read(self) -> Contents:
        return {identity: server.read() for identity, server in self._servers.items()}

    def _write(self, contents: Contents) -> None:
        for identity, server in self._servers.items():
            server.write(contents.get(identity, NOTHING))

    def _lead(self, cache: Any) -> bool:
        contained = contained_for(cache, self._servers, self.command or None)
        if contained is None:
            return False
        for identity in [each for each in self._parents if each in self._servers]:
            # A new one, that begins with what the parent has outside of all tests.
            parent = self._parents.pop(identity)
            if self._at_fork is None:
                kept = parent.read_in_child()
            else:
                kept = self._at_fork.get(identity, NOTHING)
            self._was_there(identity, kept)
            self._servers[identity].write(kept)
        make_own_clients(cache)
        lead_to(cache, contained)
        return True

    def _after_fork(self) -> None:
        """Start servers of this process's own when they are needed again."""
        if self._servers and self._is_active:
            self._parents |= self._servers
            self._servers = {}
            self._at_fork = self._enclosing[0] if self._enclosing else None
            self._enclosing = self._enclosing[:1] * len(self._enclosing)
            self._inherited = list(self._caches)
            for cache in self._inherited:
                lead_first(cache, self.activate)
