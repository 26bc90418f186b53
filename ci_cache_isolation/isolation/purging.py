"""Deleting what killed processes left, by name, on the servers that settings name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.core.cache import CacheHandler, caches

from ci_cache_isolation.isolation import journal
from ci_cache_isolation.isolation.dialects import dialect_of
from ci_cache_isolation.isolation.filespace import FILES, not_removed
from ci_cache_isolation.isolation.journal import About, Dead

__all__ = ["Purged", "purge"]


@dataclass(frozen=True, slots=True)
class Purged:
    """What became of the names that one process left in one space.

    ``error`` says why they are still there; it is empty when they are deleted. Of
    these ``refused`` were none that anything can be stored under, and are dropped.
    """

    about: About
    names: int
    error: str = ""
    refused: int = 0


def purge(*, in_ours: bool = False) -> Iterator[Purged]:
    """Delete what dead processes of this user left, and yield it space by space.

    With ``in_ours`` also what they left in sections of this process that they joined.
    """
    # A server that is gone is asked once: it may cost a timeout each time.
    errors: dict[str, str] = {}
    for left in journal.dead(in_ours=in_ours):
        space, refused = left.about.fingerprint, 0
        if space not in errors or left.about.kind == FILES:
            try:
                refused = _delete(left)
            except Exception as problem:  # noqa: BLE001 - whatever a backend raises
                kind = "" if type(problem) is _LeftError else type(problem).__name__
                errors[space] = f"{kind}: {problem}".removeprefix(": ")
            else:
                left.forget()
                yield Purged(left.about, len(left.names), refused=refused)
                continue
        yield Purged(left.about, len(left.names), errors[space])


class _LeftError(Exception):
    """Says in words of its own why something can't be deleted."""


def _delete(left: Dead) -> int:
    """Delete what is left of a process; return how many names the client refuses."""
    if left.about.kind == FILES:
        if there := not_removed(left.names):
            raise _LeftError(f"{', '.join(there)} can't be removed")
        return 0
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
            return len(dialect.delete_all(cache, left.names))
    raise _LeftError("no cache in these settings is on that server")
