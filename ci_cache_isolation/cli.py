"""The door for the command line: ``cache-isolation stress``, ``replay`` and others.

Exit codes: 0 clean, 1 leaks or flaky tests found, 2 usage, 3 nothing ran, 4 suite
broken or cannot start, 130 interrupted.
"""

from __future__ import annotations

import enum
import os
import secrets
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from ci_cache_isolation.audit.engine import Audit, NothingAuditedError
from ci_cache_isolation.audit.engine import Request as AuditRequest
from ci_cache_isolation.errors import IsolationError, OptionError
from ci_cache_isolation.isolation.options import enabled
from ci_cache_isolation.project import named_settings
from ci_cache_isolation.report.audit_terminal import AuditTerminal
from ci_cache_isolation.report.document import audit_document, stress_document, write
from ci_cache_isolation.report.terminal import StressTerminal, printable
from ci_cache_isolation.running.output import cause_in, shown, shown_path
from ci_cache_isolation.running.runners import RUNNERS, NoRunnerError, runner_named
from ci_cache_isolation.stress.engine import (
    CannotStartError,
    NothingRanError,
    Request,
    Stress,
    StressResult,
    job_for,
)
from ci_cache_isolation.stress.executors.subprocesses import SubprocessExecutor
from ci_cache_isolation.stress.order_file import OrderFile, OrderFileError
from ci_cache_isolation.stress.results import Cache, End

__all__ = ["ExitCode", "cli"]

DEFAULT_REPORT = Path(".cache-isolation") / "stress"
AUDIT_REPORT = Path(".cache-isolation") / "audit"


class ExitCode(enum.IntEnum):
    """What the commands' exit codes mean."""

    CLEAN = 0
    FOUND = 1
    USAGE = 2
    NOTHING_RAN = 3
    CANNOT_START = 4
    INTERRUPTED = 130


_runner_option = click.option(
    "--runner",
    type=click.Choice(["auto", *sorted(runner.name for runner in RUNNERS)]),
    default="auto",
    show_default=True,
    help="How the tests are run.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ci-cache-isolation")
def cli() -> None:
    """Find the tests that fail because of what other tests left behind."""


@cli.command()
@click.argument("labels", nargs=-1)
@click.option(
    "--report",
    type=click.Path(file_okay=False, path_type=Path),
    default=DEFAULT_REPORT,
    show_default=True,
    help="Folder for report.json and the orders that were run.",
)
@click.option(
    "--orders",
    type=click.IntRange(0),
    default=10,
    show_default=True,
    help="Random orders, besides forward and reverse.",
)
@click.option(
    "--minutes",
    type=click.FloatRange(0, min_open=True),
    help="Begin no further order after so many minutes.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    help="Seed of the random orders  [default: a new one, shown]",
)
@click.option(
    "--processes",
    type=click.IntRange(1),
    default=os.cpu_count() or 1,
    help="Orders at a time  [default: one for each processor]",
)
@click.option(
    "--split",
    type=click.IntRange(0),
    default=2,
    show_default=True,
    help="Workers of the run that is split, as --parallel or -n; 0 for no such run.",
)
@click.option(
    "--cache",
    type=click.Choice([cache.value for cache in Cache]),
    help="Sections for each test, or caches shared by all  [default: isolated, unless "
    "CI_CACHE_ISOLATION=off]",
)
@_runner_option
def stress(
    labels: Sequence[str],
    report: Path,
    orders: int,
    minutes: float | None,
    seed: int | None,
    processes: int,
    split: int,
    cache: str | None,
    runner: str,
) -> None:
    """Run the suite in many orders, and split over workers.

    LABELS are those of `manage.py test`, or pytest's arguments.
    """
    console = Console(highlight=False)
    terminal = StressTerminal(console)
    try:
        caches = Cache(cache) if cache else _cache_from_options()
        chosen = runner_named(runner, Path.cwd())
        orders_folder = _prepared(report)
    except (OptionError, NoRunnerError) as error:
        _fail(error, ExitCode.USAGE)
    request = Request(
        labels=tuple(labels),
        cache=caches,
        orders=orders,
        minutes=minutes,
        seed=secrets.randbelow(10_000) if seed is None else seed,
        processes=processes,
        split=split,
    )
    terminal.begin(chosen.name, caches, request.seed, processes)
    run = Stress(chosen, request, orders_folder, on_run=terminal.run)
    try:
        result = run.run()
    except NothingRanError as error:
        _fail(error, ExitCode.NOTHING_RAN)
    except IsolationError as error:
        _fail(error, ExitCode.CANNOT_START)
    path = report / "report.json"
    write(stress_document(result), path)
    terminal.end(result, path)
    sys.exit(_exit_code(result))


@cli.command()
@click.argument("labels", nargs=-1)
@click.option(
    "--report",
    type=click.Path(file_okay=False, path_type=Path),
    default=AUDIT_REPORT,
    show_default=True,
    help="Folder for report.json and what the test processes wrote down.",
)
@click.option("--no-confirm", is_flag=True, help="Only read: run no test again.")
@_runner_option
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
def audit(
    labels: Sequence[str],
    report: Path,
    no_confirm: bool,  # noqa: FBT001
    runner: str,
    processes: int,
    minutes: float,
    fail_on: str,
) -> None:
    """Name every cache leak, from one ordinary run of the suite.

    LABELS are those of `manage.py test`, or pytest's arguments.
    """
    terminal = AuditTerminal(Console(highlight=False))
    try:
        enabled()
        chosen = runner_named(runner, Path.cwd())
        _emptied(report)
    except (OptionError, NoRunnerError) as error:
        _fail(error, ExitCode.USAGE)
    terminal.begin(chosen.name, processes)
    request = AuditRequest(
        tuple(labels), processes, confirms=not no_confirm, minutes=minutes
    )
    try:
        result = Audit(chosen, request, report, terminal.step).run()
    except NothingAuditedError as error:
        _fail(error, ExitCode.NOTHING_RAN)
    except IsolationError as error:
        _fail(error, ExitCode.CANNOT_START)
    path = report / "report.json"
    write(audit_document(result, named_settings(Path.cwd())), path)
    terminal.end(result, path)
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
    sys.exit(ExitCode.FOUND if is_found else ExitCode.CLEAN)


@cli.command()
@click.argument("file", type=click.Path(path_type=Path))
def replay(file: Path) -> None:
    """Run an order that `stress` recorded again, in a cold process.

    Shows what the tests print. FILE is one of those in the report's folder orders/.
    """
    try:
        order_file = OrderFile.read(file)
        runner = runner_named(order_file.runner, Path.cwd())
    except (OrderFileError, NoRunnerError) as error:
        _fail(error, ExitCode.USAGE)
    path = file.with_name(f"{file.stem.removesuffix('-again')}-again.json").absolute()
    job = job_for(runner, order_file, path)
    click.echo(
        f"Replaying {order_file.step.name}, cache {order_file.cache}: "
        f"{shown(job.command)}"
    )
    try:
        [executed] = SubprocessExecutor(Path.cwd()).run([job], 1)
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)
    if not executed.record.is_collected and order_file.step.processes == 1:
        found = cause_in(job.log_path) or f"exit code {executed.exit_code}"
        text = (
            f"The order could not be run: {found}. It needs the folder and the "
            "settings that 'cache-isolation stress' was run with. All it printed is "
            f"in {shown_path(job.log_path)}."
        )
        _fail(CannotStartError(text), ExitCode.CANNOT_START)
    sys.stdout.flush()
    with job.log_path.open("rb") as log:
        shutil.copyfileobj(log, sys.stdout.buffer)
    sys.stdout.flush()
    for test in executed.run.failed:
        click.echo(f"failed: {printable(test)}")
    has_failed = executed.run.failed or executed.run.end is not End.FINISHED
    sys.exit(ExitCode.FOUND if has_failed else ExitCode.CLEAN)


@cli.command()
@click.option("--settings", help="Dotted name of the settings that hold CACHES.")
def purge(settings: str | None) -> None:
    """Delete what killed runs of yours left in caches, and nothing else.

    They are known by their processes, which are dead, and what they stored by its
    name. Runs that are going on are not touched. The next run does the same by itself
    for the caches that it uses.
    """
    from ci_cache_isolation.isolation.purging import purge as purged  # noqa: PLC0415
    from ci_cache_isolation.project import set_up  # noqa: PLC0415

    try:
        set_up(Path.cwd(), settings)
    except OptionError as error:
        _fail(error, ExitCode.USAGE)
    except IsolationError as error:
        _fail(error, ExitCode.CANNOT_START)
    is_left = is_there = False
    for each in purged():
        is_there = True
        about = each.about
        where = printable(f"cache {about.alias!r} ({about.kind}, {about.location})")
        number = f"{each.names} {'name' if each.names == 1 else 'names'}"
        if each.error:
            is_left = True
            click.echo(f"Left {number} in {where}: {printable(each.error)}.")
        else:
            click.echo(f"Deleted what stood under {number} in {where}.")
    if not is_there:
        click.echo("No killed run has left anything.")
    sys.exit(ExitCode.FOUND if is_left else ExitCode.CLEAN)


@cli.command()
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
        _fail(error, ExitCode.USAGE)
    except IsolationError as error:
        _fail(error, ExitCode.CANNOT_START)
    click.echo(f"settings: {module}")
    for line in lines:
        click.echo(printable(line))
    sys.exit(ExitCode.CLEAN if is_well else ExitCode.FOUND)


def _cache_from_options() -> Cache:
    return Cache.ISOLATED if enabled().value else Cache.SHARED


def _prepared(report: Path) -> Path:
    """Make the report's folder; what an earlier run wrote into it goes."""
    orders = (report / "orders").absolute()
    try:
        orders.mkdir(parents=True, exist_ok=True)
        for pattern in ("[0-9][0-9][0-9]*-*.json", "*.jsonl", "*.log"):
            for file in orders.glob(pattern):
                file.unlink()
        if report == DEFAULT_REPORT:
            (report.parent / ".gitignore").write_text("*\n", encoding="utf-8")
    except OSError as error:
        raise OptionError(
            f"The report can't be written to {report}: {error.strerror}. "
            "Every run leaves its order there. Name another folder with --report."
        ) from None
    return orders


def _emptied(report: Path) -> None:
    """Make the audit's folder; what an earlier one wrote into it goes."""
    try:
        report.mkdir(parents=True, exist_ok=True)
        for pattern in ("journal/*.jsonl", "*.log"):
            for file in report.glob(pattern):
                file.unlink()
        if report == AUDIT_REPORT:
            (report.parent / ".gitignore").write_text("*\n", encoding="utf-8")
    except OSError as error:
        raise OptionError(
            f"The report can't be written to {report}: {error.strerror}. "
            "What tests do to caches is written down there. "
            "Name another folder with --report."
        ) from None


def _exit_code(result: StressResult) -> ExitCode:
    if result.is_interrupted:
        return ExitCode.INTERRUPTED
    failing = result.failing
    if any(each.is_flaky for each in failing):
        return ExitCode.FOUND
    is_whole = all(run.end is End.FINISHED for run in result.runs)
    return ExitCode.CANNOT_START if failing or not is_whole else ExitCode.CLEAN


def _fail(error: IsolationError, code: ExitCode) -> None:
    click.echo(f"cache-isolation: {error}", err=True)
    sys.exit(code)
