"""One module per test runner: how its command is put together.

A new runner is a new module here and one more entry in `RUNNERS`.
"""

from __future__ import annotations

import os
from pathlib import Path

from ci_cache_isolation.errors import IsolationError
from ci_cache_isolation.running.output import shown
from ci_cache_isolation.running.runners.base import Runner
from ci_cache_isolation.running.runners.django import DjangoRunner
from ci_cache_isolation.running.runners.nearby import nearby
from ci_cache_isolation.running.runners.pytest import PytestRunner
from ci_cache_isolation.running.runners.script import ScriptRunner

__all__ = ["RUNNERS", "NoRunnerError", "Runner", "runner_named"]

RUNNERS: list[type[Runner]] = [PytestRunner, DjangoRunner, ScriptRunner]
"""In the sequence in which ``auto`` asks them."""


_MISSING = (
    "{missing} is not installed beside cache-isolation, so the tests can't be run with "
    "pytest. Install it with: python -m pip install 'ci-cache-isolation[stress,pytest]'"
)
_UNKNOWN = (
    "{folder} holds no manage.py, no runtests.py and no pytest configuration with "
    "DJANGO_SETTINGS_MODULE, and that variable is not set, so it is unknown how its "
    "tests are run. {way_out}"
)
_ELSEWHERE = "{found} does: go there first ({command})."
_NOWHERE = (
    "Go to the folder of manage.py, or name the settings of your tests, as in "
    "DJANGO_SETTINGS_MODULE=tests.settings, in front of this command."
)
_NO_SCRIPT = (
    "{folder} holds no script that runs Django's tests, such as runtests.py. {way_out}"
)


class NoRunnerError(IsolationError):
    """Nothing here can be run."""

    slug = "no-runner"


def runner_named(name: str, folder: Path) -> Runner:
    """Return the runner of a name, or with ``auto`` the one that fits the folder.

    Of several that fit it is the first that has all it needs.
    """
    fitting = [
        runner(folder)
        for runner in RUNNERS
        if name == runner.name or (name == "auto" and runner.fits(folder))
    ]
    for runner in fitting:
        if not runner.missing():
            return runner
    if fitting and fitting[0].name == ScriptRunner.name:
        raise NoRunnerError(_NO_SCRIPT.format(folder=folder, way_out=_way_out(folder)))
    if fitting:
        raise NoRunnerError(_MISSING.format(missing=fitting[0].missing()))
    raise NoRunnerError(_UNKNOWN.format(folder=folder, way_out=_way_out(folder)))


def _way_out(folder: Path) -> str:
    found = nearby(folder, lambda each: any(runner.fits(each) for runner in RUNNERS))
    if found is None:
        return _NOWHERE
    command = shown(["cd", os.path.relpath(found, folder)])
    return _ELSEWHERE.format(found=found, command=command)
