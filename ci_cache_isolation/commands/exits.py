"""Exit codes, and how a command says that it can't go on."""

from __future__ import annotations

import enum
import sys
from collections.abc import Mapping
from typing import Any, NoReturn

import click

from ci_cache_isolation.audit.proofs import Verdict
from ci_cache_isolation.errors import IsolationError
from ci_cache_isolation.report.words import printable
from ci_cache_isolation.running.jobs import End
from ci_cache_isolation.running.runners import RUNNERS

__all__ = ["ExitCode", "allow_incomplete_option", "fail", "runner_option"]


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


def fail(error: IsolationError, code: ExitCode) -> NoReturn:
    """Say what was found, and end. Names in it may come from anywhere."""
    click.echo(f"cache-isolation: {printable(str(error))}", err=True)
    sys.exit(code)
