"""What a test command printed: the line that tells most; and commands, as one types."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

__all__ = [
    "cause_in",
    "counted",
    "interrupted",
    "one_line",
    "shown",
    "shown_error",
    "shown_path",
    "telling_line",
]

LONGEST = 300
"""Characters of a line that are worth showing."""
_TELLING = re.compile(
    # Of a usage error pytest and argparse show the usage first, and then the error.
    r"ERROR: (?!usage: )|[^:]+: error: |"
    # What Django's checks found comes after the line that says that they did.
    r".*\([\w.]+\.E\d{3}\) |"
    r"[\w.]*(Error|Exception|ImproperlyConfigured|UsageError)\b.*:"
)


def cause_in(log: Path) -> str:
    """Return the line of a log that says most about why a process ended."""
    text = log.read_text(encoding="utf-8", errors="replace")
    # It is put into a sentence, which goes on after it.
    return telling_line(text.splitlines()).rstrip(".")


def telling_line(lines: Iterable[str]) -> str:
    """Return the last line that names an error, or else the last one that is there."""
    stripped = [line.strip().removeprefix("E ").strip() for line in lines]
    telling = [line for line in stripped if _TELLING.match(line)]
    return next(reversed(telling or [line for line in stripped if line]), "")


def counted(number: int, thing: str, things: str = "") -> str:
    """Return a number with what it counts, in the singular or the plural."""
    return f"{number:,} {thing if number == 1 else things or thing + 's'}"


def one_line(text: str) -> str:
    """Return the first line of a text that holds anything, cut where it is long."""
    lines = (line.strip() for line in text.splitlines())
    return next((line for line in lines if line), "")[:LONGEST]


def shown_error(error: BaseException) -> str:
    """Return an exception's name and what it says, also where it can't say it."""
    try:
        said = str(error)
    except Exception:  # noqa: BLE001 - it may raise whatever it likes
        said = "it can't be printed"
    return f"{type(error).__name__}: {said}".rstrip(": ")


def interrupted(running: Mapping[str, float]) -> list[str]:
    """Return a sentence for each test that an interrupt met, with its seconds."""
    return [
        f"When it was interrupted, {test} had run for {seconds:.1f} s."
        for test, seconds in running.items()
    ]


def shown(command: Sequence[str]) -> str:
    """Return a command as one would type it."""
    return shlex.join("python" if part == sys.executable else part for part in command)


def shown_path(path: Path) -> str:
    """Return a path as one types it where one stands."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
