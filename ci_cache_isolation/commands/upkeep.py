"""``cache-isolation purge`` and ``doctor``: what is left, and what is switched on."""

from __future__ import annotations

import sys
from collections.abc import Callable
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
    "what is to be deleted. Let CI_CACHE_ISOLATION_STATE name the directory that your "
    "runs use, with mode 0700."
)
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
def doctor(settings: str | None, runner: str) -> None:
    """Show how each cache is isolated, and who said so. No cache is opened.

    Exits with 1 where isolation is off or not switched on, or a cache is not isolated.
    """
    sys.exit(_in_project(runner, settings, _diagnose))


def _diagnose(opened: Opened) -> ExitCode:
    from ci_cache_isolation.diagnosis import diagnose  # noqa: PLC0415

    lines, is_well = diagnose(opened)
    for line in lines:
        click.echo(printable(line))
    return ExitCode.CLEAN if is_well else ExitCode.FOUND


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
