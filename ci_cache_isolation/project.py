"""The project that a command was called in, set up as its own tests set it up."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from ci_cache_isolation.errors import REFUSED, OptionError, SettingsError
from ci_cache_isolation.isolation import switch
from ci_cache_isolation.running.output import telling_line
from ci_cache_isolation.running.runners import NoRunnerError, Runner, runner_named
from ci_cache_isolation.running.runners.configuration import VARIABLE
from ci_cache_isolation.running.runners.django import MANAGE, DjangoRunner
from ci_cache_isolation.running.runners.pytest import PytestRunner
from ci_cache_isolation.running.runners.script import ScriptRunner

__all__ = ["Opened", "in_project"]

T = TypeVar("T")

_NO_SETTINGS = (
    "No Django settings were found in {folder}: neither --settings nor {variable} is "
    "given, and manage.py chooses none. This command asks them for your caches. "
    "Pass --settings your.settings."
)
_NOT_USABLE = (
    "{what} can't be used: {error}. This command asks them for your caches. Call it "
    "where your tests run, with their Python (this is {python}), or select others with "
    "--settings."
)
_CONFIGURED_BY = "Settings configured by {by}"
_NONE_UNDER_PYTEST = "no settings are configured when pytest is set up"
_NO_RUNNER_MADE = "it ended before it ran any tests by Django's test runner"


@dataclass(frozen=True, slots=True)
class Opened:
    """A project that is set up: by which runner, and what its settings are called.

    ``file`` is what runs the tests, or configures the settings where no module does.
    ``entry_point`` switches isolation on there, besides what the settings do; empty for
    nothing.
    """

    runner: str
    settings: str
    file: str = ""
    entry_point: str = ""


def in_project(
    folder: Path, name: str, given: str | None, act: Callable[[Opened], T]
) -> T:
    """Set Django up as a project's tests do, and return what ``act`` makes of it.

    ``name`` is a runner's or ``auto``, ``given`` the settings that somebody chose.
    `SettingsError` where setting up fails, with what Django or the settings said;
    `OptionError` where it is an option of ours that means nothing; `NoRunnerError`
    where it is unknown how the tests are run, and no settings are given.
    """
    sys.path.insert(0, str(folder))
    try:
        runner = runner_named(name, folder)
    except NoRunnerError:
        if not given or name != "auto":
            raise
        return _with_module(given, "", act)
    if isinstance(runner, PytestRunner):
        return _under_pytest(runner, given, act)
    if isinstance(runner, ScriptRunner) and not given:
        return _in_script(runner, act)
    if isinstance(runner, DjangoRunner) and runner.has_manage:
        _run_manage(runner, given)
    module = given or runner.settings()
    if not module:
        raise OptionError(_NO_SETTINGS.format(folder=folder, variable=VARIABLE))
    return _with_module(module, runner.name, act)


def _run_manage(runner: DjangoRunner, given: str | None) -> None:
    from ci_cache_isolation.running.inside.script import (  # noqa: PLC0415
        run_until_django,
    )

    arguments = ["test", *(["--settings", given] if given else [])]
    try:
        # What it prints is not what this command has to say.
        with redirect_stdout(io.StringIO()):
            run_until_django(str(runner.folder / MANAGE), arguments)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - it is the user's code
        _refuse(MANAGE, error)


def _with_module(module: str, runner: str, act: Callable[[Opened], T]) -> T:
    os.environ[VARIABLE] = module
    try:
        django.setup()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - it is the user's code
        _refuse(f"Settings {module!r}", error)
    return act(Opened(runner, module))


def _under_pytest(runner: Runner, given: str | None, act: Callable[[Opened], T]) -> T:
    # Other projects need not have pytest.
    from ci_cache_isolation.running.inside.pytest_set_up import (  # noqa: PLC0415
        set_up,
    )

    done: list[T] = []
    acts: list[Opened] = []
    printed = io.StringIO()
    module = given or runner.settings()

    def acting(config: Any) -> None:
        if not settings.configured:
            raise SettingsError(_NONE_UNDER_PYTEST)
        found = str(getattr(settings, "SETTINGS_MODULE", "") or "")
        has_plugin = config.pluginmanager.has_plugin("ci_cache_isolation")
        entry_point = "pytest's plugin, under pytest" if has_plugin else ""
        with redirect_stdout(sys.__stdout__), redirect_stderr(sys.__stderr__):
            acts.append(Opened(runner.name, found, "conftest.py", entry_point))
            done.append(act(acts[0]))

    what = f"Settings {module!r}" if module else _CONFIGURED_BY.format(by="conftest.py")
    try:
        # What conftest.py prints is not what this command has to say.
        with redirect_stdout(printed), redirect_stderr(printed):
            set_up(["--ds", given] if given else [], acting)
    except (Exception, SystemExit) as error:
        if acts or isinstance(error, OptionError):
            raise
        _refuse(what, error)
    if not done:
        _refuse(what, SystemExit(telling_line(printed.getvalue().splitlines())))
    return done[0]


class _ReachedError(BaseException):
    """Leaves a script where it makes its test runner."""

    def __init__(self, runner: type) -> None:
        super().__init__()
        self.runner = runner


def _in_script(runner: ScriptRunner, act: Callable[[Opened], T]) -> T:
    from ci_cache_isolation.runner import IsolationMixin  # noqa: PLC0415
    from ci_cache_isolation.running.inside.script import run_script  # noqa: PLC0415

    def reached(made: type) -> type:
        raise _ReachedError(made)

    what = _CONFIGURED_BY.format(by=runner.script)
    try:
        # What it prints is not what this command has to say.
        with redirect_stdout(io.StringIO()):
            run_script(str(runner.folder / runner.script), [], reached)
        _refuse(what, SystemExit(_NO_RUNNER_MADE))
    except _ReachedError as end:
        entry_point = (
            "its test runner" if issubclass(end.runner, IsolationMixin) else ""
        )
    except SettingsError:
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001 - it is the user's code
        _refuse(what, error)
    if switch.is_installed() and switch.inputs().asked is None:
        entry_point = f"install() in {runner.script}"
    return act(Opened(runner.name, runner.settings(), runner.script, entry_point))


def _refuse(what: str, error: BaseException) -> NoReturn:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    reason = lines[0].rstrip(".")
    if isinstance(error, SystemExit) and reason.startswith(REFUSED):
        # Not the settings are wrong, but what they asked us for.
        raise OptionError(str(error).removeprefix(REFUSED)) from error
    said = (ImportError, ImproperlyConfigured, SettingsError, SystemExit)
    if not isinstance(error, said):
        reason = f"{type(error).__name__}: {reason}"
    raise SettingsError(
        _NOT_USABLE.format(what=what, error=reason, python=sys.executable)
    ) from error
