"""How things are put into words, wherever they are shown."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ci_cache_isolation.evidence.account import Site
from ci_cache_isolation.evidence.conflicts import Conflict
from ci_cache_isolation.judging.proofs import Verdict

__all__ = [
    "RESULTS",
    "TITLES",
    "counted",
    "in_cache",
    "located",
    "made",
    "place",
    "printable",
    "remembered",
    "remembers",
    "together",
]

TITLES = {
    Verdict.VICTIM: "victim, passes alone and fails after others",
    Verdict.BRITTLE: "brittle, fails alone and passes after others",
    Verdict.SELF_POLLUTING: "self-polluting, fails the second time",
    Verdict.CROSS_PROCESS: "cross-process, fails while another process is live",
    Verdict.NON_DETERMINISTIC: "non-deterministic, fails by chance",
    Verdict.BROKEN: "broken, fails always",
}


RESULTS = {
    "carried": "changes an outcome",
    "harmless": "put to the test: changed no outcome",
    "untested": "not put to the test",
}
"""What is said of a conflict, by its result in an audit's report."""


def printable(text: str) -> str:
    """Return text that can do nothing to a terminal: control characters escaped."""
    return "".join(
        character if character.isprintable() else ascii(character)[1:-1]
        for character in text
    )


def counted(number: int, thing: str, things: str = "") -> str:
    """Return a number with what it counts, in the singular or the plural."""
    return f"{number:,} {thing if number == 1 else things or thing + 's'}"


def located(report: Path) -> str:
    """Return where the report for people is, and what is beside it."""
    page = report / "report.html"
    return f"Report: {page}, and report.json, junit.xml and summary.md beside it"


def together(group: Iterable[str]) -> str:
    """Return those who are needed together."""
    return " together with ".join(group)


def place(site: Site) -> str:
    """Return where something was called, the test's own line after it."""
    if site.in_test and site.in_test != site.at:
        return f"{site.at}, called at {site.in_test}"
    return site.at or "an unknown place"


def remembered(conflict: Conflict) -> str:
    """Return what tests meet in, as a heading."""
    key = conflict.entry.key
    if not conflict.entry.is_memoised:
        return in_cache(made(conflict.name, key), conflict.alias)
    return remembers(key, conflict.left_by[0].site.at)


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
