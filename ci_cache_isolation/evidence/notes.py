"""What a test process records for the audit, a line for each scope, and reads back.

The file survives its writer: of a process that is killed all scopes are known that had
ended. Keys are written, or hashes of them, values never.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ci_cache_isolation.evidence.account import (
    Account,
    Entry,
    How,
    Left,
    Look,
    PatternSearch,
    Searched,
    Site,
)
from ci_cache_isolation.isolation.scopes import Scope, ScopeKind

__all__ = ["Note", "key_text", "line", "read"]

_LONGEST_KEY = 250
# What a line that a test wrote, or that was cut off, may come to.
_NO_NOTE = (
    *(ValueError, TypeError, LookupError, AttributeError),
    *(OverflowError, RecursionError),
)


@dataclass(frozen=True, slots=True)
class Note:
    """What one scope did. ``around`` names the scopes that it stood in.

    ``test`` is the runner's own id, empty for a scope that is wider than a test. Of
    such a scope ``during`` holds the tests that ran meanwhile, or had just run.
    """

    name: str
    test: str
    around: tuple[str, ...]
    looked: dict[Entry, Look] = field(default_factory=dict)
    left: dict[Entry, Left] = field(default_factory=dict)
    searched: dict[PatternSearch, Searched] = field(default_factory=dict)
    cleared: dict[str, Left] = field(default_factory=dict)
    tidied: frozenset[Entry] = frozenset()
    emptied: tuple[PatternSearch, ...] = ()
    during: tuple[str, ...] = ()
    names: dict[Entry, str] = field(default_factory=dict)
    """What the user calls entries whose keys a function of his own makes."""
    seconds: float = 0.0
    """How long a test took."""


def key_text(key: object) -> str:
    """Return a key as text; of a long one the beginning, and a digest of all of it."""
    text = key if type(key) is str else str(key)
    if len(text) <= _LONGEST_KEY:
        return text
    digest = hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).hexdigest()
    return f"{text[:_LONGEST_KEY]}…{digest}"


def line(  # noqa: PLR0913,PLR0917
    scope: Scope,
    around: Sequence[str],
    account: Account | None,
    hashed: Callable[[str], str] | None = None,
    seconds: float = 0.0,
    names: Mapping[Entry, str] = MappingProxyType({}),
) -> str:
    """Return the line for a scope that has ended, with its keys as ``hashed`` has them.

    If that is None they are written as they are.
    """

    def row(entry: Entry, **what: Any) -> dict[str, Any]:
        # The name of a function is no secret of a cache.
        if hashed is not None and not entry.is_memoised:
            entry = entry._replace(key=hashed(entry.key))
        return {"entry": entry._asdict(), **what}

    values: dict[str, Any] = {"name": scope.name}
    if scope.kind is ScopeKind.TEST:
        values["test"] = scope.test_id or scope.name
        values["seconds"] = round(seconds, 3)
    values["around"] = [name for name in around if name != scope.name]
    if account is not None:
        values["during"] = [] if "test" in values else list(account.during)
        values["looked"] = [
            row(entry, look=_row(look)) for entry, look in account.looked.items()
        ]
        if hashed is None:
            known = account.looked.keys() | account.left.keys()
            values["names"] = [
                row(entry, name=names[entry]) for entry in known if entry in names
            ]
            # Otherwise there is nothing that a pattern could match.
            values["searched"] = [
                {"search": search._asdict(), "look": _row(look), "known": known}
                for search, (look, known) in account.searched.items()
            ]
            values["emptied"] = [search._asdict() for search in account.emptied]
        values["tidied"] = [row(entry) for entry in account.tidied]
        values["left"] = [
            row(entry, left=_row(left)) for entry, left in account.left.items()
        ]
        values["cleared"] = [
            {"place": place, "left": _row(left)}
            for place, left in account.cleared.items()
        ]
    return json.dumps(values) + "\n"


def read(folder: Path) -> Iterator[Note]:
    """Yield what all processes of a run recorded, one process after the other."""
    for path in sorted(folder.glob("*.jsonl")):
        with path.open(encoding="utf-8", errors="replace") as lines:
            for text in lines:
                try:
                    yield _note(json.loads(text))
                except _NO_NOTE:
                    # The last line of a process that was killed while it wrote it.
                    continue


def _row(what: Look | Left) -> dict[str, Any]:
    return {**what._asdict(), "site": what.site._asdict()}


def _note(values: dict[str, Any]) -> Note:
    def rows(name: str) -> Iterator[Any]:
        return iter(values.get(name, ()))

    return Note(
        name=_once(values["name"]),
        test=_once(values.get("test", "")),
        around=tuple(map(_once, values["around"])),
        looked={_entry(each["entry"]): _look(each["look"]) for each in rows("looked")},
        left={_entry(each["entry"]): _left(each["left"]) for each in rows("left")},
        searched={
            _search(each["search"]): Searched(
                _look(each["look"]), tuple(map(_once, each["known"]))
            )
            for each in rows("searched")
        },
        tidied=frozenset(_entry(each["entry"]) for each in rows("tidied")),
        emptied=tuple(map(_search, rows("emptied"))),
        cleared={_once(each["place"]): _left(each["left"]) for each in rows("cleared")},
        during=tuple(map(_once, rows("during"))),
        names={_entry(each["entry"]): _once(each["name"]) for each in rows("names")},
        seconds=_time(values.get("seconds", 0.0)) or 0.0,
    )


def _look(row: Mapping[str, Any]) -> Look:
    hit = row["hit"]
    if hit is not None and not isinstance(hit, bool):
        raise TypeError(hit)
    return Look(
        _once(row["alias"]),
        _once(row["operation"]),
        hit,
        _site(row["site"]),
        _once(row["holder"]),
    )


def _left(row: Mapping[str, Any]) -> Left:
    return Left(
        _once(row["alias"]),
        _once(row["operation"]),
        How(row["how"]),
        _time(row["deadline"]),
        _site(row["site"]),
        _time(row["expires_in"]),
    )


def _time(value: Any) -> float | None:
    if value is None:
        return None
    if not isfinite(value):
        raise ValueError(value)
    return float(value)


def _entry(row: Mapping[str, str]) -> Entry:
    return Entry(*(_once(row[name]) for name in Entry._fields))


def _search(row: Mapping[str, str]) -> PatternSearch:
    return PatternSearch(*(_once(row[name]) for name in PatternSearch._fields))


def _site(row: Mapping[str, str]) -> Site:
    return Site(*(_once(row[name]) for name in Site._fields))


# The same words stand in a million lines: one of each will do.
_once = sys.intern
