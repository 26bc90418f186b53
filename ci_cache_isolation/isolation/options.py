"""Options, resolved in one place: the first source that says something wins.

Command line > environment > ini or pyproject > ``settings.CACHE_ISOLATION`` > default.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings

from ci_cache_isolation.errors import OptionError

__all__ = ["ENABLED_VARIABLE", "Enabled", "enabled"]

ENABLED_VARIABLE = "CI_CACHE_ISOLATION"
_WORDS = {
    **dict.fromkeys(("on", "true", "yes", "1"), True),
    **dict.fromkeys(("off", "false", "no", "0"), False),
}
_NOT_A_SWITCH = (
    "{source} is {value!r}, which is neither on nor off. "
    "Isolation must not be guessed: what you test would depend on it. "
    "Set it to 'on' or 'off', or leave it out."
)


@dataclass(frozen=True, slots=True)
class Enabled:
    """Whether caches are isolated, and who said so."""

    value: bool
    source: str

    def __str__(self) -> str:
        return f"{'on' if self.value else 'off'} ({self.source})"


def enabled(*, command_line: bool | None = None, ini: str | None = None) -> Enabled:
    """Resolve whether caches are isolated; `OptionError` for a word that is neither.

    ``command_line`` and ``ini`` are what a door was told, None or empty for nothing.
    """
    if command_line is not None:
        return Enabled(command_line, "command line")
    if word := os.environ.get(ENABLED_VARIABLE, "").strip():
        return _from_word(word, f"environment {ENABLED_VARIABLE}")
    if ini:
        return _from_word(ini, "ini cache_isolation_enabled")
    configured = _from_settings()
    if "enabled" in configured:
        return _from_word(configured["enabled"], "settings.CACHE_ISOLATION['enabled']")
    return Enabled(value=True, source="default")


def _from_word(word: object, source: str) -> Enabled:
    try:
        return Enabled(_WORDS[str(word).strip().lower()], source)
    except KeyError:
        raise OptionError(_NOT_A_SWITCH.format(source=source, value=word)) from None


def _from_settings() -> Mapping[str, object]:
    # Unset while settings are being imported: then they can't be asked.
    if not settings.configured:
        return {}
    configured = getattr(settings, "CACHE_ISOLATION", {})
    if not isinstance(configured, Mapping):
        raise OptionError(
            f"settings.CACHE_ISOLATION is {configured!r}, which is not a dictionary. "
            "Options are read from it by name. Write CACHE_ISOLATION = "
            '{"enabled": True}, or leave it out.'
        )
    return configured
