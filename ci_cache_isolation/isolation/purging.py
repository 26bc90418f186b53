"""Deleting what killed processes left, by name, on the servers that settings name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.core.cache import CacheHandler, caches

from ci_cache_isolation.isolation import journal
from ci_cache_isolation.isolation.dialects import dialect_of
from ci_cache_isolation.isolation.filespace import FILES, remove_directory
from ci_cache_isolation.isolation.journal import About, Dead

__all__ = ["Purged", "purge"]

BATCH = 1000


@dataclass(frozen=True, slots=True)
class Purged:
    """What became of the names that one process left in one space.

    ``error`` says why they are still there; it is empty when they are deleted.
    """

    about: About
    names: int
    error: str = ""


def purge(*, in_ours: bool = False) -> Iterator[Purged]:
    """Delete what dead processes of this user left, and yield it space by space.

    With ``in_ours`` also what they left in sections of this process that they joined.
    """
    for left in journal.dead(in_ours=in_ours):
        try:
            error = _deleted(left)
        except Exception as problem:  # noqa: BLE001 - whatever a backend raises
            error = f"{type(problem).__name__}: {problem}"
        if not error:
            left.forget()
        yield Purged(left.about, len(left.names), error)


def _deleted(left: Dead) -> str:
    """Delete what is left of a process; return why that can't be done, if so."""
    if left.about.kind == FILES:
        for name in left.names:
            remove_directory(name)
        return ""
    # The alias that it was stored for comes first: the others need not be opened.
    aliases = sorted(caches.settings, key=lambda alias: alias != left.about.alias)
    for alias in aliases:
        conf = caches.settings[alias]
        if conf.get("BACKEND") != left.about.kind and alias != left.about.alias:
            continue
        cache = CacheHandler.create_connection(caches, alias)
        dialect = dialect_of(type(cache))
        if dialect is None:
            continue
        if dialect.about(alias, cache).fingerprint == left.about.fingerprint:
            dialect.connect(cache)
            for start in range(0, len(left.names), BATCH):
                dialect.delete(cache, left.names[start : start + BATCH])
            return ""
    return "no cache in these settings is on that server"
