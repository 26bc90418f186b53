"""What a folder's files say about its tests: pytest's configuration, and scripts.

They are read, never imported: a command asks before it runs anything.
"""

from __future__ import annotations

import configparser
import re
import shlex
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = [
    "VARIABLE",
    "configures_settings",
    "named_in",
    "pytest_options",
    "settings_in",
    "text_of",
]

VARIABLE = "DJANGO_SETTINGS_MODULE"
_NAMED = re.compile(rf"{VARIABLE}['\"]\s*(?:,|\]\s*=)\s*['\"]([\w.]+)['\"]")
_CONFIGURES = re.compile(r"^\s*(?:\w+\.)*settings\.configure\(", re.MULTILINE)
_INI_SECTIONS = {
    "pytest.ini": "pytest",
    ".pytest.ini": "pytest",
    "tox.ini": "pytest",
    "setup.cfg": "tool:pytest",
}
_FILES = (
    *("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini"),
    *("pyproject.toml", "tox.ini", "setup.cfg"),
)
"""In pytest's own sequence: the first that has options is the only one read."""
_ALWAYS = {"pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini"}
"""Those that are pytest's own, also without any option."""


def pytest_options(folder: Path) -> Mapping[str, Any] | None:
    """Return the options in pytest's configuration file; None if there is no such file.

    What pytest could not read either counts as nothing.
    """
    for name in _FILES:
        if (folder / name).is_file():
            found = _toml(folder / name) if "toml" in name else _ini(folder / name)
            if found or name in _ALWAYS:
                return found or {}
    return None


def settings_in(options: Mapping[str, Any]) -> tuple[str, str]:
    """Return the settings that ``addopts`` names, and those of the option itself.

    The environment comes between them.
    """
    added = options.get("addopts", "")
    words = added if isinstance(added, list) else _split(str(added))
    by_option = ""
    for place, word in enumerate(words):
        if word.startswith("--ds="):
            by_option = word.removeprefix("--ds=")
        elif word == "--ds" and words[place + 1 :]:
            by_option = words[place + 1]
    return by_option, str(options.get(VARIABLE, "") or "").strip()


def named_in(file: Path) -> str:
    """Return the settings that a script puts into the environment, empty for none."""
    found = _NAMED.search(text_of(file))
    return found[1] if found else ""


def configures_settings(file: Path) -> bool:
    """Return whether a module calls ``settings.configure()``."""
    return bool(_CONFIGURES.search(text_of(file)))


def text_of(file: Path) -> str:
    """Return what is in a file, empty if it can't be read."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _toml(file: Path) -> Mapping[str, Any]:
    try:
        document = tomllib.loads(text_of(file))
    except tomllib.TOMLDecodeError:
        return {}
    tables = document if file.name != "pyproject.toml" else document.get("tool", {})
    table = tables.get("pytest", {}) if isinstance(tables, dict) else {}
    if not isinstance(table, dict):
        return {}
    options = table.get("ini_options", {})
    return {**table, **(options if isinstance(options, dict) else {})}


def _ini(file: Path) -> Mapping[str, Any]:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(text_of(file))
        return dict(parser.items(_INI_SECTIONS[file.name]))
    except configparser.Error:
        return {}


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()
