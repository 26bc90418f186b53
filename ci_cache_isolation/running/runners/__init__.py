"""One module per test runner: how its command is put together.

A new runner is a new module here and one more entry in `RUNNERS`.
"""

from __future__ import annotations

from pathlib import Path

from ci_cache_isolation.errors import IsolationError
from ci_cache_isolation.running.runners.base import Runner
from ci_cache_isolation.running.runners.django import DjangoRunner
from ci_cache_isolation.running.runners.pytest import PytestRunner

__all__ = ["RUNNERS", "NoRunnerError", "Runner", "runner_named"]

RUNNERS: tuple[type[Runner], ...] = (PytestRunner, DjangoRunner)
"""In the sequence in which ``auto`` asks them."""


_MISSING = (
    "{missing} is not installed beside cache-isolation, so the tests can't be run with "
    "pytest. Install it with: python -m pip install 'ci-cache-isolation[stress,pytest]'"
)


class NoRunnerError(IsolationError):
    """Nothing here can be run."""

    slug = "no-runner"


def runner_named(name: str, folder: Path) -> Runner:
    """Return the runner of a name, or with ``auto`` the one that fits the folder."""
    for runner in RUNNERS:
        if name == runner.name or (name == "auto" and runner.fits(folder)):
            chosen = runner(folder)
            if missing := chosen.missing():
                raise NoRunnerError(_MISSING.format(missing=missing))
            return chosen
    raise NoRunnerError(
        f"{folder} holds no manage.py and no pytest configuration with "
        "DJANGO_SETTINGS_MODULE, and that variable is not set, so it is unknown how "
        "its tests are run. Go to the folder of manage.py, or set "
        "DJANGO_SETTINGS_MODULE and name the runner with --runner; where a conftest.py "
        "configures the settings, '--runner pytest' is enough."
    )
