"""Exit codes, and how a command says that it can't go on."""

from __future__ import annotations

import enum
import sys
from typing import NoReturn

import click

from ci_cache_isolation.errors import IsolationError
from ci_cache_isolation.running.runners import RUNNERS

__all__ = ["ExitCode", "fail", "runner_option"]


class ExitCode(enum.IntEnum):
    """What the commands' exit codes mean."""

    CLEAN = 0
    FOUND = 1
    USAGE = 2
    NOTHING_RAN = 3
    CANNOT_START = 4
    INTERRUPTED = 130


runner_option = click.option(
    "--runner",
    type=click.Choice(["auto", *sorted(runner.name for runner in RUNNERS)]),
    default="auto",
    show_default=True,
    help="How the tests are run.",
)


def fail(error: IsolationError, code: ExitCode) -> NoReturn:
    """Say what was found, and end."""
    click.echo(f"cache-isolation: {error}", err=True)
    sys.exit(code)
