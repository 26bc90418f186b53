"""``python -m pytest``, with our ordering as a plugin."""

from __future__ import annotations

import configparser
import importlib.util
import os
import re
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

from ci_cache_isolation.running.runners.arguments import Options
from ci_cache_isolation.running.runners.base import Runner

__all__ = ["PytestRunner"]

_PLUGIN = "ci_cache_isolation.running.inside.pytest_order"
_FORKS_PLUGIN = "ci_cache_isolation.running.inside.pytest_forks"
# Names of parameters may hold spaces; what follows the name is set off.
_SUMMARY = re.compile(r"^(?:FAILED|ERROR) (\S.*?)(?: - .*)?$", re.MULTILINE)
_NO_TESTS_COLLECTED = 5
_OPTIONS = Options(
    valued={
        *("-c", "--config-file", "--rootdir", "--confcutdir", "--ds", "--dc", "-p"),
        *("-o", "--override-ini", "-W", "--pythonwarnings", "-k", "-m", "-r"),
        *("--ignore", "--ignore-glob", "--deselect", "--maxfail", "--import-mode"),
        *("--basetemp", "--tb", "--durations", "--capture", "--color", "--log-level"),
    },
    # A few tests, in one process; the report of all of them stays as it is.
    unwanted={"-n", "--numprocesses", "--junit-xml", "--junitxml"},
)
_INI_SECTIONS = {
    "pytest.ini": "pytest",
    "tox.ini": "pytest",
    "setup.cfg": "tool:pytest",
}


class PytestRunner(Runner):
    """pytest with pytest-django; split runs with pytest-xdist."""

    name = "pytest"

    @classmethod
    def fits(cls, folder: Path) -> bool:
        """Tell whether pytest is configured with settings; pytest-django is here."""
        return importlib.util.find_spec("pytest_django") is not None and (
            _configures_django(folder)
        )

    def own_command(self, labels: Sequence[str]) -> list[str]:
        """Return ``python -m pytest LABELS``."""
        return [sys.executable, "-m", "pytest", *labels]

    def replay_command(self, tests: Sequence[str], labels: Sequence[str]) -> list[str]:
        """Return ``python -m pytest OPTIONS TESTS``, one process, in this sequence."""
        given = _OPTIONS.among(labels)
        options = []
        if importlib.util.find_spec("pytest_randomly") is not None:
            options += ["-p", "no:randomly"]
        # Their own configuration may ask for workers.
        if importlib.util.find_spec("xdist") is not None and not any(
            each.endswith("no:xdist") for each in given
        ):
            options += ["-n", "0"]
        return self.own_command([*given, *options, *tests])

    def failed_in(self, printed: str) -> list[str]:
        """Look for pytest's short summary."""
        return list(dict.fromkeys(_SUMMARY.findall(printed)))

    def command(self, labels: Sequence[str], processes: int) -> list[str]:
        """Return ``python -m pytest -p … LABELS``."""
        options = ["-p", _PLUGIN]
        if processes > 1:
            options += ["-n", str(processes)]
        return self.own_command([*options, *labels])

    def fork_command(self, labels: Sequence[str]) -> list[str]:
        """Return ``python -m pytest -p … LABELS``; forks would share a capture."""
        options = ["-p", _FORKS_PLUGIN, "-p", "no:cacheprovider", "--capture=no"]
        return self.own_command([*options, *labels])

    def found_no_tests(self, exit_code: int) -> bool:
        """Tell whether pytest says that it collected no tests."""
        return exit_code == _NO_TESTS_COLLECTED

    def missing(self) -> str:
        """Return pytest, or pytest-django where that has to find the settings."""
        if importlib.util.find_spec("pytest") is None:
            return "pytest"
        if importlib.util.find_spec("pytest_django") is None and (
            not os.environ.get("DJANGO_SETTINGS_MODULE")
            and _configures_django(self.folder)
        ):
            return "pytest-django"
        return ""

    def why_no_split(self) -> str:
        """Return that pytest-xdist is missing, if it is."""
        if importlib.util.find_spec("xdist") is None:
            return "pytest-xdist is not installed"
        return ""


def _configures_django(folder: Path) -> bool:
    pyproject = folder / "pyproject.toml"
    if pyproject.is_file():
        try:
            tool = tomllib.loads(pyproject.read_text(encoding="utf-8")).get("tool", {})
        except tomllib.TOMLDecodeError:
            tool = {}
        section = tool.get("pytest", {})
        if "DJANGO_SETTINGS_MODULE" in {**section, **section.get("ini_options", {})}:
            return True
    for name, section in _INI_SECTIONS.items():
        parser = configparser.ConfigParser(interpolation=None)
        parser.optionxform = str  # type: ignore[assignment,method-assign]
        try:
            parser.read(folder / name, encoding="utf-8")
        except configparser.Error:
            continue
        if parser.has_option(section, "DJANGO_SETTINGS_MODULE"):
            return True
    return bool(os.environ.get("DJANGO_SETTINGS_MODULE")) and (
        (folder / "conftest.py").is_file() or (folder / "pytest.ini").is_file()
    )
