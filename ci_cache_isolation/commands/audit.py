"""``cache-isolation audit``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import click

from ci_cache_isolation.audit.engine import Audit, NothingAuditedError
from ci_cache_isolation.audit.result import AuditRequest
from ci_cache_isolation.commands.exits import (
    ExitCode,
    OwnConsole,
    WithLabels,
    allow_incomplete_option,
    fail,
    hand_over,
    runner_option,
)
from ci_cache_isolation.errors import IsolationError, OptionError
from ci_cache_isolation.evidence.hashing import HASH_VARIABLE
from ci_cache_isolation.isolation.environment import enabled_by_environment
from ci_cache_isolation.report.document import audit_document
from ci_cache_isolation.report.folders import AUDIT_REPORT, emptied
from ci_cache_isolation.report.progress import ProgressTerminal
from ci_cache_isolation.running.runners import NoRunnerError, runner_named

__all__ = ["audit"]


@click.command(cls=WithLabels)
@click.argument("labels", nargs=-1)
@click.option(
    "--report",
    type=click.Path(file_okay=False, path_type=Path),
    default=AUDIT_REPORT,
    show_default=True,
    help="Folder for report.json and what the test processes recorded.",
)
@click.option(
    "--from",
    "recorded",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Run no suite, but read what a test command of yours recorded: "
    "CI_CACHE_ISOLATION_AUDIT=DIR in front of it.",
)
@click.option("--no-confirm", is_flag=True, help="Only read: run no test again.")
@runner_option
@click.option(
    "--processes",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Workers of the ordinary run, as --parallel or -n.",
)
@click.option(
    "--minutes",
    type=click.FloatRange(0, min_open=True),
    default=10,
    show_default=True,
    help="Put conflicts to the test for no longer than that.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["confirmed", "possible", "never"]),
    default="confirmed",
    show_default=True,
    help="What makes the exit code 1.",
)
@allow_incomplete_option
@click.option(
    "--hash-keys",
    is_flag=True,
    envvar=HASH_VARIABLE,
    help="Write no key down as it is, but a hash that is this run's own.",
)
def audit(
    labels: Sequence[str],
    report: Path,
    recorded: Path | None,
    no_confirm: bool,  # noqa: FBT001
    runner: str,
    processes: int,
    minutes: float,
    fail_on: str,
    allow_incomplete: bool,  # noqa: FBT001
    hash_keys: bool,  # noqa: FBT001
) -> None:
    """Name every cache leak, from one ordinary run of the suite.

    With --from, from a run that there was already. LABELS are those of `manage.py
    test`, or pytest's arguments.
    """
    console = OwnConsole(highlight=False)
    try:
        enabled_by_environment()
        chosen = runner_named(runner, Path.cwd())
        if recorded is not None:
            recorded = recorded.absolute()
            _check(recorded, report)
        emptied(report)
    except (OptionError, NoRunnerError) as error:
        fail(error, ExitCode.USAGE)
    request = AuditRequest(
        tuple(labels),
        processes,
        confirms=not no_confirm,
        minutes=minutes,
        hashes_keys=hash_keys,
        recorded=recorded,
    )
    try:
        with closing(ProgressTerminal(console)) as terminal:
            terminal.begin_audit(chosen.title, processes, recorded)
            result = Audit(chosen, request, report, terminal.step).run()
    except NothingAuditedError as error:
        fail(error, ExitCode.NOTHING_RAN)
    except IsolationError as error:
        fail(error, ExitCode.CANNOT_START)
    document = audit_document(result)
    hand_over(document, report, console)
    if result.is_interrupted:
        sys.exit(ExitCode.INTERRUPTED)
    if result.failure:
        click.echo(f"cache-isolation: {result.failure}", err=True)
        sys.exit(ExitCode.CANNOT_START)
    is_found = {
        "confirmed": bool(result.findings),
        "possible": bool(result.audited.conflicts),
        "never": False,
    }[fail_on]
    if is_found:
        sys.exit(ExitCode.FOUND)
    # Who asks for no proof has them all.
    is_complete = result.is_whole or no_confirm or allow_incomplete
    is_complete = is_complete or fail_on == "never"
    sys.exit(ExitCode.CLEAN if is_complete else ExitCode.INCOMPLETE)


def _check(recorded: Path, report: Path) -> None:
    """Refuse a folder in which nothing is recorded, or that this run would empty."""
    if recorded.resolve() == (report / "notes").resolve():
        raise OptionError(
            f"--from names {recorded}, which this audit empties for its own notes. "
            "What was recorded there would be lost. Name another folder with --report."
        )
    if not any(recorded.glob("*.jsonl")):
        raise OptionError(
            f"--from names {recorded}, in which nothing is recorded. An audit reads "
            f"what tests did there. Put CI_CACHE_ISOLATION_AUDIT={recorded} in front "
            "of your test command, and run it with isolation on."
        )
