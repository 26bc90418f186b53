"""What the environment says: whether caches are isolated, and who is to listen.

Commands ask it too, before they start what imports Django: nothing here does.
"""

from __future__ import annotations

import os

from ci_cache_isolation.errors import OptionError
from ci_cache_isolation.isolation.records import Record

__all__ = [
    "AUDIT_VARIABLE",
    "ENABLED_VARIABLE",
    "LOOK_VARIABLE",
    "NO_GUESS",
    "UNDO_VARIABLE",
    "Enabled",
    "enabled_by_environment",
    "from_word",
]

ENABLED_VARIABLE = "CI_CACHE_ISOLATION"
"""Holds whether caches are isolated; what other options are called begins with it."""

AUDIT_VARIABLE = "CI_CACHE_ISOLATION_AUDIT"
"""Holds the folder in which is recorded what tests do to caches, if it is."""

UNDO_VARIABLE = "CI_CACHE_ISOLATION_UNDO"
"""Holds, as JSON, what is undone before the last test of a job: an audit's."""

LOOK_VARIABLE = "CI_CACHE_ISOLATION_LOOK"
"""Holds, as JSON, what is told or put back of all that hangs on modules."""

NO_GUESS = "Isolation must not be guessed"
_WORDS = {
    **dict.fromkeys(("on", "true", "yes", "1"), True),
    **dict.fromkeys(("off", "false", "no", "0"), False),
}
_NOT_A_SWITCH = (
    "{source} is {value!r}, which is neither on nor off. "
    "{why}: what you test would depend on it. "
    "Set it to 'on' or 'off', or leave it out."
)


class Enabled(Record):
    """Whether something is switched on, and who said so."""

    value: bool
    source: str

    def __str__(self) -> str:
        return f"{'on' if self.value else 'off'} ({self.source})"


def enabled_by_environment() -> Enabled | None:
    """Return whether caches are isolated, None where nothing is said of it.

    `OptionError` for a word that is neither on nor off.
    """
    word = os.environ.get(ENABLED_VARIABLE, "").strip()
    return from_word(word, f"environment {ENABLED_VARIABLE}") if word else None


def from_word(word: object, source: str, why: str = NO_GUESS) -> Enabled:
    """Return what a word says that a source has; `OptionError` where that is unclear.

    ``why`` says what must not be guessed.
    """
    try:
        return Enabled(_WORDS[str(word).strip().lower()], source)
    except KeyError:
        text = _NOT_A_SWITCH.format(source=source, value=word, why=why)
        raise OptionError(text) from None
