"""``cache-isolation purge`` and ``doctor``: what is left, and what is switched on."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ci_cache_isolation.commands.exits import ExitCode, fail
from ci_cache_isolation.errors import IsolationError, OptionError
from ci_cache_isolation.report.words import counted, printable

__all__ = ["doctor", "purge"]

_NOT_READ = (
    "What killed runs left can't be read: {error}. Others could have written there "
    "what is to be deleted. Let CI_CACHE_ISOLATION_STATE name the directory that your "
    "runs use, with mode 0700."
)


@click.command()
@click.option("--settings", help="Dotted name of the settings that hold CACHES.")
def purge(settings: str | None) -> None:
    """Delete what killed runs of yours left in caches, and nothing else.

    They are known by their processes, which are dead, and what they stored by its
    name. Runs that are going on are not touched. The next run does the same by itself
    for the caches that it uses.
    """
    from ci_cache_isolation.isolation.journal import directory  # noqa: PLC0415
    from ci_cache_isolation.isolation.purging import purge as purged  # noqa: PLC0415
    from ci_cache_isolation.project import set_up  # noqa: PLC0415

    try:
        set_up(Path.cwd(), settings)
        directory()
    except OptionError as error:
        fail(error, ExitCode.USAGE)
    except IsolationError as error:
        fail(error, ExitCode.CANNOT_START)
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
    sys.exit(ExitCode.FOUND if is_left else ExitCode.CLEAN)


@click.command()
@click.option("--settings", help="Dotted name of the settings that hold CACHES.")
def doctor(settings: str | None) -> None:
    """Show how each cache is isolated, and who said so. No cache is opened.

    Exits with 1 where isolation is off or not switched on, or a cache is not isolated.
    """
    from ci_cache_isolation.diagnosis import diagnose  # noqa: PLC0415
    from ci_cache_isolation.project import set_up  # noqa: PLC0415

    try:
        module = set_up(Path.cwd(), settings)
        lines, is_well = diagnose()
    except OptionError as error:
        fail(error, ExitCode.USAGE)
    except IsolationError as error:
        fail(error, ExitCode.CANNOT_START)
    click.echo(f"settings: {module}")
    for line in lines:
        click.echo(printable(line))
    sys.exit(ExitCode.CLEAN if is_well else ExitCode.FOUND)
