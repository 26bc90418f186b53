"""How a command ends: its report, its exit code, or why it can't go on."""

from __future__ import annotations

import enum
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.console import Console

from ci_cache_isolation.errors import IsolationError, OptionError
from ci_cache_isolation.judging.verdicts import Verdict
from ci_cache_isolation.report.documents import Document
from ci_cache_isolation.report.files import write
from ci_cache_isolation.report.providers import publish
from ci_cache_isolation.report.terminal import show
from ci_cache_isolation.report.words import printable
from ci_cache_isolation.running.jobs import End
from ci_cache_isolation.running.output import shown_error
from ci_cache_isolation.running.runners import RUNNERS

__all__ = [
    "ExitCode",
    "allow_incomplete_option",
    "fail",
    "hand_over",
    "runner_option",
]


TRACEBACK_VARIABLE = "CI_CACHE_ISOLATION_TRACEBACK"
"""If it holds anything, an unexpected error is shown as Python shows it."""
_UNEXPECTED = (
    "{error} (at {place}). This is an error of cache-isolation's own, and nothing is "
    "judged. Please report it, with what it prints when "
    f"{TRACEBACK_VARIABLE}=on is in front of the command."
)


class ExitCode(enum.IntEnum):
    """What the commands' exit codes mean."""

    CLEAN = 0
    FOUND = 1
    USAGE = 2
    NOTHING_RAN = 3
    CANNOT_START = 4
    INCOMPLETE = 5
    INTERRUPTED = 130

    @classmethod
    def of(
        cls, document: Mapping[str, Any], *, allows_incomplete: bool = False
    ) -> ExitCode:
        """Return what the report of a stress run comes to, or of several."""
        failures, runs = document["failures"], document["runs"]
        # What fails beside other processes may have failed in no run.
        verdicts = {each["verdict"] for each in document["findings"]}
        if document["interrupted"] and "merged" not in document:
            return cls.INTERRUPTED
        if verdicts - {Verdict.BROKEN} or any(each["flaky"] for each in failures):
            return cls.FOUND
        if failures or document["failure"]:
            return cls.CANNOT_START
        if not runs:
            return cls.NOTHING_RAN
        if any(run["end"] != End.FINISHED for run in runs):
            return cls.CANNOT_START
        # Reports of earlier versions don't say it.
        is_complete = document.get("complete", True) or allows_incomplete
        return cls.CLEAN if is_complete else cls.INCOMPLETE


runner_option = click.option(
    "--runner",
    type=click.Choice(["auto", *sorted(runner.name for runner in RUNNERS)]),
    default="auto",
    show_default=True,
    help="How the tests are run.",
)


allow_incomplete_option = click.option(
    "--allow-incomplete",
    is_flag=True,
    help="Exit with 0, and not with 5, where nothing was found but time was over "
    "before all was put to the test.",
)


class OwnConsole(Console):
    """One whose reader may go away: rich would end with the exit code of a leak."""

    def on_broken_pipe(self) -> None:
        """Let the command end in its own way."""
        raise BrokenPipeError


class WithLabels(click.Command):
    """A command that passes labels on, and options of theirs only after ``--``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Say where an option belongs that may be one of the test command's."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            more = (
                " Options of your test command go after --, as in "
                f"'-- {error.option_name}'."
            )
            raise click.NoSuchOption(
                error.option_name, error.message + more, error.possibilities, ctx
            ) from None


class UnexpectedError(IsolationError):
    """What a command did not expect, be it a mistake of ours or of the system's."""

    slug = "unexpected"


def unexpected(error: Exception) -> UnexpectedError:
    """Return what to say of an error, and where in this package it came up."""
    frames = traceback.extract_tb(error.__traceback__)
    here = str(Path(__file__).parents[1])
    last = [frame for frame in frames if frame.filename.startswith(here)] or frames
    place = f"{Path(last[-1].filename).name}:{last[-1].lineno}"
    return UnexpectedError(_UNEXPECTED.format(error=shown_error(error), place=place))


def hand_over(
    document: Document, report: Path, console: Console, resume: str = ""
) -> None:
    """Write a report into a folder, then show it: its reader may go away meanwhile.

    One that can't be written is shown all the same, before the command says so and
    ends. ``resume`` is the command that goes on where the run was interrupted.
    """
    failure = None
    try:
        write(document, report)
    except OptionError as error:
        failure = error
    show(console, document, report, resume)
    if failure is not None:
        fail(failure, ExitCode.USAGE)
    publish(document, click.echo)


def fail(error: IsolationError, code: ExitCode) -> NoReturn:
    """Say what was found, and end. Names in it may come from anywhere."""
    click.echo(f"cache-isolation: {printable(str(error))}", err=True)
    sys.exit(code)
