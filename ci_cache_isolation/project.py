"""The Django project that a command was called in: which settings are its own."""

from __future__ import annotations

import configparser
import os
import re
import sys
import tomllib
from pathlib import Path

import django
from django.core.exceptions import ImproperlyConfigured

from ci_cache_isolation.errors import REFUSED, OptionError, SettingsError

__all__ = ["named_settings", "set_up", "settings_module"]

VARIABLE = "DJANGO_SETTINGS_MODULE"
_IN_MANAGE = re.compile(rf"{VARIABLE}['\"]\s*,\s*['\"]([\w.]+)['\"]")
_INI_FILES = (
    ("pytest.ini", "pytest"),
    ("tox.ini", "pytest"),
    ("setup.cfg", "tool:pytest"),
)
_NO_SETTINGS = (
    "No Django settings were found in {folder}: neither --settings nor {variable} is "
    "given, and neither manage.py nor pytest's configuration names any. "
    "This command asks them for your caches. Say --settings your.settings."
)
_NO_IMPORT = (
    "Settings {module!r} can't be used: {error}. This command asks them for your "
    "caches. Call it where your tests run, or name others with --settings."
)


def settings_module(folder: Path, given: str | None = None) -> str:
    """Return the dotted name of a project's settings, those of its tests first.

    `OptionError` where nothing names any.
    """
    if found := given or os.environ.get(VARIABLE):
        return found
    if found := _of_pytest(folder) or _of_manage(folder):
        return found
    raise OptionError(_NO_SETTINGS.format(folder=folder, variable=VARIABLE))


def named_settings(folder: Path) -> str:
    """Return the dotted name of a project's settings, empty where nothing names any."""
    try:
        return settings_module(folder)
    except OptionError:
        return ""


def set_up(folder: Path, given: str | None = None) -> str:
    """Set Django up with a project's settings; return their name.

    `SettingsError` where that fails, with what Django or the settings said;
    `OptionError` where it is an option of ours that means nothing.
    """
    module = settings_module(folder, given)
    os.environ[VARIABLE] = module
    sys.path.insert(0, str(folder))
    try:
        django.setup()
    except (Exception, SystemExit) as error:
        reason = str(error) or type(error).__name__
        if isinstance(error, SystemExit) and reason.startswith(REFUSED):
            # Not the settings are wrong, but what they asked us for.
            raise OptionError(reason.removeprefix(REFUSED)) from error
        if not isinstance(error, (ImportError, ImproperlyConfigured, SystemExit)):
            reason = f"{type(error).__name__}: {reason}"
        raise SettingsError(_NO_IMPORT.format(module=module, error=reason)) from error
    return module


def _of_manage(folder: Path) -> str | None:
    try:
        found = _IN_MANAGE.search((folder / "manage.py").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return None
    return found[1] if found else None


def _of_pytest(folder: Path) -> str | None:
    for name, section in _INI_FILES:
        parser = configparser.ConfigParser(interpolation=None)
        try:
            parser.read(folder / name, encoding="utf-8")
            if found := parser.get(section, VARIABLE, fallback=None):
                return found.strip()
        except (configparser.Error, UnicodeDecodeError):
            continue
    try:
        document = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))
        found = document["tool"]["pytest"]["ini_options"][VARIABLE]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return str(found)
