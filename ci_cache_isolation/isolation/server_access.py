"""What sections need of a server: each family of backends provides it, as a dialect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from ci_cache_isolation.isolation.clocks import Expiries
from ci_cache_isolation.isolation.journal import About

__all__ = ["ServerAccess"]


class ServerAccess(Protocol):
    """The way to a server, by one of the caches that use it.

    ``key_limit`` counts characters, or bytes. A full key has a section's id in front.
    """

    @property
    def key_limit(self) -> int | None:
        """How long a key may be."""

    @property
    def counts_bytes(self) -> bool:
        """Whether that is in bytes."""

    def copy(self, cache: Any, source: str, target: str, expiries: Expiries) -> None:
        """Store under one full key what is stored under another, until it expires.

        An entry that the target already has stays.
        """

    def state(self, cache: Any, full: str, expiries: Expiries) -> object:
        """Return what is stored under a full key, as something that can be compared."""

    def delete(self, cache: Any, names: list[str]) -> None:
        """Delete full keys. Those that are not there are no error."""

    def delete_all(self, cache: Any, names: list[str]) -> dict[str, Exception]:
        """Delete full keys, in batches; return those that the client refuses, and why.

        Nothing is stored under these either. What a server or the way to it says is
        raised: then all of them are still there.
        """

    def may_ask(self, cache: Any) -> bool:
        """Return whether the running test may ask the server at all."""

    def is_in_transaction(self, cache: Any) -> bool:
        """Return whether what is done now can still be undone by the server."""

    def on_rollback(self, cache: Any, undo: Callable[[], None]) -> None:
        """Have something called if the server undoes what is done now."""

    def is_gone(self, cache: Any, about: About) -> bool:
        """Return whether what a cache stored things in is no longer there."""

    def is_lasting(self, cache: Any) -> bool:
        """Return whether entries outlive this process."""

    def about(self, alias: str, cache: Any) -> About:
        """Return what is recorded about a space."""

    def modules(self, cache: Any) -> frozenset[str]:
        """Return the modules whose functions are operations of the cache."""
