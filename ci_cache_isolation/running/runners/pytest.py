"""``python -m pytest``, with our ordering as a plugin."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from ci_cache_isolation.running.runners.arguments import Options
from ci_cache_isolation.running.runners.base import Runner
from ci_cache_isolation.running.runners.configuration import (
    VARIABLE,
    configures_settings,
    named_in,
    pytest_options,
    settings_in,
)

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
_CONFTESTS = ("conftest.py", "tests/conftest.py", "test/conftest.py")


class PytestRunner(Runner):
    """pytest with pytest-django; split runs with pytest-xdist."""

    name = "pytest"

    @classmethod
    def fits(cls, folder: Path) -> bool:
        """Return whether pytest's configuration, or a conftest.py, says the settings.

        Those of the environment are pytest's where something else is pytest's too.
        """
        options = pytest_options(folder)
        if any(settings_in(options or {})) or _configures(folder):
            return True
        return (
            bool(os.environ.get(VARIABLE))
            and importlib.util.find_spec("pytest_django") is not None
            and (options is not None or (folder / "conftest.py").is_file())
        )

    def settings(self) -> str:
        """Return what pytest-django would take."""
        by_option, by_ini = settings_in(pytest_options(self.folder) or {})
        return (
            by_option
            or os.environ.get(VARIABLE, "")
            or by_ini
            or next(filter(None, map(named_in, _conftests(self.folder))), "")
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
        """Return whether pytest says that it collected no tests."""
        return exit_code == _NO_TESTS_COLLECTED

    def missing(self) -> str:
        """Return pytest, or pytest-django where that has to find the settings."""
        if importlib.util.find_spec("pytest") is None:
            return "pytest"
        if importlib.util.find_spec("pytest_django") is None and (
            not os.environ.get(VARIABLE)
            and any(settings_in(pytest_options(self.folder) or {}))
        ):
            return "pytest-django"
        return ""

    def why_no_split(self) -> str:
        """Return that pytest-xdist is missing, if it is."""
        if importlib.util.find_spec("xdist") is None:
            return "pytest-xdist is not installed"
        return ""


def _conftests(folder: Path) -> list[Path]:
    return [folder / each for each in _CONFTESTS]


def _configures(folder: Path) -> bool:
    return any(
        configures_settings(each) or named_in(each) for each in _conftests(folder)
    )
