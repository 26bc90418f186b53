"""``cache-isolation purge`` and ``doctor``: what is left, and what is switched on."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ci_cache_isolation.commands.exits import ExitCode, fail, runner_option
from ci_cache_isolation.errors import IsolationError, OptionError
from ci_cache_isolation.report.words import counted, printable
from ci_cache_isolation.running.runners import NoRunnerError

if TYPE_CHECKING:
    from ci_cache_isolation.project import Opened

__all__ = ["doctor", "purge"]

_NOT_READ = (
    "What killed runs left can't be read: {error}. Others could have written there "
    "what is to be deleted. Let CI_CACHE_ISOLATION_JOURNALS name the directory that "
    "your runs use, with mode 0700."
)
_PROBED = (sys.executable, "-m", "ci_cache_isolation.commands.probed")
_settings_option = click.option(
    "--settings", help="Dotted name of the settings that hold CACHES."
)


@click.command()
@_settings_option
@runner_option
def purge(settings: str | None, runner: str) -> None:
    """Delete what killed runs of yours left in caches, and nothing else.

    They are known by their processes, which are dead, and what they stored by its
    name. Runs that are going on are not touched. The next run does the same by itself
    for the caches that it uses.
    """
    sys.exit(_in_project(runner, settings, lambda _: _purge()))


def _purge() -> ExitCode:
    from ci_cache_isolation.isolation.journal import directory  # noqa: PLC0415
    from ci_cache_isolation.isolation.purging import purge as purged  # noqa: PLC0415

    try:
        directory()
    except OSError as error:
        fail(OptionError(_NOT_READ.format(error=error)), ExitCode.USAGE)
    is_left = is_there = False
    for each in purged():
        is_there = True
        about = each.about
        where = printable(f"cache {about.alias!r} ({about.kind}, {about.location})")
        number = counted(each.names, "name")
        if each.error:
            is_left = True
            click.echo(f"Left {number} in {where}: {printable(each.error)}.")
            continue
        click.echo(f"Deleted what stood under {number} in {where}.")
        if each.refused:
            dropped = counted(each.refused, "name")
            click.echo(f"Dropped {dropped} of these, which its client refuses.")
    if not is_there:
        click.echo("No killed run has left anything.")
    return ExitCode.FOUND if is_left else ExitCode.CLEAN


@click.command()
@_settings_option
@runner_option
@click.option("--probe", is_flag=True, help="Try each promise on each cache.")
@click.option("--json", "is_json", is_flag=True, help="Print JSON.")
def doctor(settings: str | None, runner: str, *, probe: bool, is_json: bool) -> None:
    """Show how each cache is isolated, and who said so. No cache is opened.

    With --probe each promise is tried on each cache of your settings, in processes of
    their own and with entries of their own, which are deleted by name. No server is
    emptied.

    Exits with 1 where isolation is off or not switched on, a cache is not isolated or
    a promise is broken; with 5 where nothing of that is so, and a cache could not be
    reached.
    """

    def act(opened: Opened) -> ExitCode:
        command = [*_PROBED, runner, settings or ""] if probe else []
        return _diagnose(opened, command, is_json=is_json)

    sys.exit(_in_project(runner, settings, act))


def _diagnose(opened: Opened, command: list[str], *, is_json: bool) -> ExitCode:
    from ci_cache_isolation.diagnosis import diagnose, probe_all  # noqa: PLC0415
    from ci_cache_isolation.probing import Report  # noqa: PLC0415

    lines, is_well = diagnose(opened)
    if not is_json:
        _echo(lines)
    probed = []
    for each in probe_all(command) if command else ():
        probed.append(each)
        if not is_json:
            _echo(["", *each.lines()])
    report = Report(tuple(probed))
    if is_json:
        about = {"command": "doctor", "well": is_well, "lines": lines}
        click.echo(json.dumps({**report.to_json(), **about}, indent=2))
    if report.is_broken or not is_well:
        return ExitCode.FOUND
    return ExitCode.CLEAN if report.is_whole else ExitCode.INCOMPLETE


def _echo(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(printable(line))


def _in_project(
    runner: str, settings: str | None, act: Callable[[Opened], ExitCode]
) -> ExitCode:
    """Return what a command comes to in the project in which it was called."""
    from ci_cache_isolation.project import in_project  # noqa: PLC0415

    try:
        return in_project(Path.cwd(), runner, settings, act)
    except (OptionError, NoRunnerError) as error:
        fail(error, ExitCode.USAGE)
    except IsolationError as error:
        fail(error, ExitCode.CANNOT_START)
