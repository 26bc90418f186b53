"""Caches that keep nothing, so that there is nothing to isolate: DummyCache."""

from __future__ import annotations

from django.core.cache.backends.dummy import DummyCache

from ci_cache_isolation.isolation.stores.base import Lifted, Store

__all__ = ["NothingStore"]


class NothingStore(Store):
    """All that a cache needs which forgets by itself."""

    name = "none"
    has_sections = False

    @staticmethod
    def handles(cache_class: type) -> bool:
        """Tell whether this is DummyCache or derived from it."""
        return issubclass(cache_class, DummyCache)

    def begin(self) -> None:
        """Do nothing."""

    def end(self) -> None:
        """Do nothing."""

    def lift(self, depth: int) -> Lifted:
        """Set nothing aside."""

    def lower(self, lifted: Lifted) -> None:
        """Bring nothing back."""
