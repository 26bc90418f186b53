"""Stores whose contents can be put aside and put back, in place."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

from ci_cache_isolation.isolation.process import section_id
from ci_cache_isolation.isolation.stores.base import Store

__all__ = ["NOTHING", "Contents", "Snapshot", "SnapshotStore"]

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
MISSING = object()


class Snapshot:
    """A copy of one memory's contents. Entries are pickled, so it can't change."""

    __slots__ = ("entries", "expiries")

    def __init__(
        self,
        entries: Mapping[Hashable, bytes],
        expiries: Mapping[Hashable, float | None],
    ) -> None:
        self.entries = entries
        self.expiries = expiries

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Snapshot):
            return NotImplemented
        return self.entries == other.entries and self.expiries == other.expiries

    __hash__ = None  # type: ignore[assignment]


Contents = dict[Hashable, Snapshot]
"""Contents by memory's identity; one that is missing is empty."""

NOTHING = Snapshot({}, {})


Changes = tuple[list[Hashable], list[Hashable]]
"""The keys that were written, and those that were deleted."""

SuspendedContents = tuple[list[Contents], Contents]
"""What inner sections held in which another began, and the innermost one."""


class SnapshotStore(Store):
    """Sections by copies: what was there when one began is put back at its end."""

    def __init__(self) -> None:
        # _enclosing[n] is what section n held when section n + 1 began in it.
        self._enclosing: list[Contents] = []

    @abstractmethod
    def _read(self) -> Contents:
        """Copy the contents of all memories."""

    @abstractmethod
    def _write(self, contents: Contents) -> None:
        """Put contents in the place of what all memories hold."""

    def begin(self, number: int = 0, *, is_raw: bool = False) -> None:  # noqa: ARG002
        """Put a copy of the contents aside."""
        self._enclosing.append(self._read())

    def end(self) -> None:
        """Put the contents back as they were when the section began."""
        self._write(self._enclosing.pop())

    def suspend(self, depth: int) -> SuspendedContents:
        """Show what the section at ``depth`` held when the next one began in it."""
        enclosing = self._enclosing[depth:]
        innermost = self._read()
        del self._enclosing[depth:]
        if enclosing:
            self._write(enclosing[0])
        return enclosing, innermost

    def resume(self, suspended: SuspendedContents) -> None:
        """Carry what was done since `suspend` into every section that was set aside."""
        enclosing, innermost = suspended
        if not enclosing:
            return
        was, now = enclosing[0], self._read()
        sections = [*enclosing, innermost]
        written = {
            identity: found
            for identity in was.keys() | now.keys()
            if (found := self._written(was, now, identity)) != ([], [])
        }
        if written:
            carried = (_carried(each, now, written) for each in sections[1:])
            sections = [now, *carried]
        self._enclosing.extend(sections[:-1])
        self._write(sections[-1])

    def _written(self, was: Contents, now: Contents, identity: Hashable) -> Changes:
        """Return which keys of a memory were written, and which deleted."""
        before, after = was.get(identity, NOTHING), now.get(identity, NOTHING)
        is_same = self._is_same

        def is_as_before(key: Hashable) -> bool:
            return is_same(
                before.entries.get(key, MISSING), after.entries[key]
            ) and is_same(
                before.expiries.get(key, MISSING), after.expiries.get(key, MISSING)
            )

        written = [key for key in after.entries if not is_as_before(key)]
        deleted = [key for key in before.entries if key not in after.entries]
        return written, deleted

    @staticmethod
    def _is_same(before: object, after: object) -> bool:
        """Return whether nothing was written between two readings of one value."""
        return before == after

    def section_id(self, alias: str, number: int) -> str | None:  # noqa: ARG002
        """Return the id of the scope, which needs no opening."""
        return section_id(number) if number else None

    def _was_there(self, identity: Hashable, brought: Snapshot) -> None:
        """Take a memory into account that was there before any open scope."""
        for contents in self._enclosing:
            contents[identity] = brought


def _carried(
    section: Contents, now: Contents, changes: Mapping[Hashable, Changes]
) -> Contents:
    """Return a section's contents with what was written and deleted to come to now."""
    carried = dict(section)
    for identity, (written, deleted) in changes.items():
        kept = section.get(identity, NOTHING)
        after = now.get(identity, NOTHING)
        carried[identity] = _with_changes(kept, after, written, deleted)
    return carried


def _with_changes(
    kept: Snapshot, after: Snapshot, written: list[Hashable], deleted: list[Hashable]
) -> Snapshot:
    gone = {*written, *deleted}
    stays = [key for key in kept.entries if key not in gone]
    # What was written later stands first: LocMemCache drops entries from the end.
    return Snapshot(
        _picked(after.entries, written) | _picked(kept.entries, stays),
        _picked(after.expiries, written) | _picked(kept.expiries, stays),
    )


def _picked(values: Mapping[K, V], keys: Iterable[K]) -> dict[K, V]:
    return {key: values[key] for key in keys if key in values}
