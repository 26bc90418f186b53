"""Caches that are left alone: DummyCache, and those that are shared on purpose."""

from __future__ import annotations

from ci_cache_isolation.isolation.stores.base import Store, Suspended

__all__ = ["UnmanagedStore"]


class UnmanagedStore(Store):
    """All that a cache needs which forgets by itself, or is to be shared."""

    names = ("none",)
    has_sections = False

    def adopt(self, alias: str, cache: object) -> bool:  # noqa: ARG002
        """Leave it alone, gladly."""
        return True

    def begin(self, number: int = 0, *, is_raw: bool = False) -> None:
        """Do nothing."""

    def end(self) -> None:
        """Do nothing."""

    def suspend(self, depth: int) -> Suspended:
        """Set nothing aside."""

    def resume(self, suspended: Suspended) -> None:
        """Bring nothing back."""

    def section_id(self, alias: str, number: int) -> str | None:  # noqa: ARG002
        """Return None: there are no sections."""
        return None
