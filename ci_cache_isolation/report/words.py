"""How things are put into words, wherever they are shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from ci_cache_isolation.evidence.patterns import pattern_of
from ci_cache_isolation.running.output import counted

__all__ = [
    "called_at",
    "counted",
    "in_cache",
    "located",
    "made",
    "printable",
    "remembers",
    "several",
    "together",
]


def printable(text: str) -> str:
    """Return text that can do nothing to a terminal: control characters escaped."""
    return "".join(
        character if character.isprintable() else ascii(character)[1:-1]
        for character in text
    )


def located(report: Path) -> str:
    """Return where the report for people is, and what is beside it."""
    page = report / "report.html"
    return f"Report: {page}, and report.json, junit.xml and summary.md beside it"


def together(group: Iterable[str]) -> str:
    """Return those who are needed together."""
    return " together with ".join(group)


def called_at(at: str | None, called: str | None) -> str:
    """Return where something was called, the test's own line after it."""
    at = at or "an unknown place"
    return f"{at}, called at {called}" if called and called != at else at


def several(keys: Sequence[str]) -> str:
    """Return what several keys have in common, and how many they are."""
    if len(patterns := {pattern_of(key) for key in keys}) == 1:
        return f"{patterns.pop()!r} ({len(keys)} keys)"
    return f"{keys[0]!r} and {len(keys) - 1} more"


def made(name: str, key: str) -> str:
    """Return a key as the user calls it, and what his key function makes of it."""
    return f"{name!r} (key {key!r})" if name and name != key else repr(key)


def in_cache(names: str, alias: str | None) -> str:
    """Return keys with the cache that they are in."""
    return f"{names} in cache {alias!r}"


def remembers(function: str, at: str) -> str:
    """Return what a memoised function does, with the place of its own."""
    if " " in function or "." not in function:
        # What Django remembers by itself has no function's name.
        return f"{function} remembers"
    return f"{function}() remembers (functools.lru_cache, {at})"
