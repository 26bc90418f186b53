"""What tests meet in, as lists of conflicts show it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ci_cache_isolation.report.documents import ConflictRow, LeftRow, SeenRow
from ci_cache_isolation.report.words import (
    called_at,
    in_cache,
    made,
    remembers,
    several,
)

__all__ = ["Meeting", "by_pattern"]

_RESULTS = {
    "carried": "changes an outcome",
    "harmless": "put to the test: changed no outcome",
    "untested": "not put to the test",
}


@dataclass(frozen=True, slots=True)
class Meeting:
    """What one test leaves and another one reads, and what came of it in an audit.

    ``left_by`` and ``read_by`` name the first of each, and say where.
    """

    what: str
    how: str
    left_by: str
    read_by: str
    result: str

    @classmethod
    def of(cls, *conflicts: ConflictRow) -> Meeting:
        """Return it for conflicts whose keys have one pattern, or for one."""
        first = conflicts[0]
        keys = list(dict.fromkeys(each["key"] for each in conflicts))
        left, seen = first["left_by"], first["seen_by"]
        leaver, looker = _pair(first)
        if not first["alias"]:
            what = remembers(first["key"], left[0]["at"] if left else "")
        elif len(keys) > 1:
            what = in_cache(several(keys), first["alias"])
        else:
            key = first["key"]
            what = in_cache(made(key, first.get("made", key)), first["alias"])
        return cls(
            what,
            leaver.get("how", "left") if leaver else "left",
            _side(leaver, len(left)),
            _side(looker, len(seen)),
            _RESULTS.get(str(first.get("result")), ""),
        )


def by_pattern(conflicts: Iterable[ConflictRow]) -> list[list[ConflictRow]]:
    """Put together the conflicts of one alias whose keys have one pattern."""
    groups: dict[tuple[str | None, str], list[ConflictRow]] = {}
    for each in conflicts:
        name = each.get("pattern") or each["key"]
        groups.setdefault((each["alias"], name), []).append(each)
    return list(groups.values())


def _pair(conflict: ConflictRow) -> tuple[LeftRow | None, SeenRow | None]:
    """Return the first two that meet: whoever does both does not meet itself."""
    left, seen = conflict["left_by"], conflict["seen_by"]
    for looker in seen:
        for leaver in left:
            if leaver["test"] != looker["test"]:
                return leaver, looker
    return next(iter(left), None), next(iter(seen), None)


def _side(row: LeftRow | SeenRow | None, number: int) -> str:
    if row is None:
        return ""
    more = f" and {number - 1} more" if number > 1 else ""
    return f"{row['test']} at {called_at(row['at'], row.get('called_at'))}{more}"
