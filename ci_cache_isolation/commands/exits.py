"""Exit codes, and how a command says that it can't go on."""

from __future__ import annotations

import enum
import sys
from collections.abc import Mapping
from typing import Any, NoReturn

import click

from ci_cache_isolation.audit.proofs import Verdict
from ci_cache_isolation.errors import IsolationError
from ci_cache_isolation.running.jobs import End
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

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> ExitCode:
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
        is_whole = all(run["end"] == End.FINISHED for run in runs)
        return cls.CLEAN if is_whole else cls.CANNOT_START


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
