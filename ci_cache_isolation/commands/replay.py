"""``cache-isolation replay``: a recorded order, once more."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn

import click

from ci_cache_isolation.commands.exits import ExitCode, fail
from ci_cache_isolation.report.words import counted, printable
from ci_cache_isolation.running.cold import ColdJob, ColdRun, ColdRuns
from ci_cache_isolation.running.jobs import End
from ci_cache_isolation.running.order_file import Cache, OrderFile
from ci_cache_isolation.running.output import cause_in, shown
from ci_cache_isolation.running.recorded_order import OrderFileError, recorded_order
from ci_cache_isolation.running.runners import NoRunnerError, Runner, runner_named
from ci_cache_isolation.running.runners.arguments import has_options
from ci_cache_isolation.stress.executors import CannotStartError

__all__ = ["replay"]

SHOWN = 25
_OPTIONS = (
    "The order in {0} was recorded with options of the test command. Options run code, "
    "and a file can come from anywhere. Read them, and give them yourself: "
    "cache-isolation replay {0} -- {1}"
)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("labels", nargs=-1)
@click.option(
    "--cache",
    type=click.Choice([cache.value for cache in Cache]),
    help="Sections for each test, or caches shared by all  [default: as recorded]",
)
def replay(file: Path, labels: Sequence[str], cache: str | None) -> None:
    """Run an order that was recorded again, in a cold process.

    Shows what the tests print. FILE is one of those in a report's folder orders/. With
    --cache=isolated a failure that isolation cures is gone. LABELS take the place of
    those that were recorded; options of the test command are never taken from FILE.
    """
    try:
        order = _order(file, labels)
        runner = runner_named(order.runner, Path.cwd())
    except (OrderFileError, NoRunnerError) as error:
        fail(error, ExitCode.USAGE)
    if cache is not None:
        order = replace(order, cache=Cache(cache))
    with TemporaryDirectory(prefix="cache-isolation-") as folder:
        _replay(runner, order, Path(folder) / "order.json")


def _order(file: Path, labels: Sequence[str]) -> OrderFile:
    """Return the order of a file, with labels of the command line if there are any."""
    order = recorded_order(file)
    if labels:
        return replace(order, labels=tuple(labels))
    if has_options(order.labels):
        raise OrderFileError(_OPTIONS.format(file, shown(order.labels)))
    return order


def _replay(runner: Runner, order: OrderFile, path: Path) -> NoReturn:
    job = ColdJob.of(runner, order, path)
    said = f"Replaying {order.name}, {_caches(order)}: {shown(job.command)}"
    click.echo(printable(said))
    sys.stdout.flush()
    try:
        [run] = ColdRuns(runner.folder).run([job], 1)
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)
    missing = _missing(run)
    is_begun = run.record.is_collected or order.processes > 1
    if not is_begun or (missing and _folder_above(runner)):
        found = cause_in(job.log_path) or f"exit code {run.exit_code}"
        fail(_cannot_start(runner, order, found), ExitCode.CANNOT_START)
    with job.log_path.open("rb") as log:
        shutil.copyfileobj(log, sys.stdout.buffer)
    sys.stdout.flush()
    failed = run.record.failed
    if run.culprit and run.culprit not in failed:
        failed.append(run.culprit)
    for test in failed:
        click.echo(f"failed: {printable(test)}")
    if missing:
        fail(OrderFileError(_no_longer(missing)), ExitCode.USAGE)
    has_failed = failed or run.end is not End.FINISHED
    sys.exit(ExitCode.FOUND if has_failed else ExitCode.CLEAN)


def _caches(order: OrderFile) -> str:
    """Return what becomes of the caches, in words that the test process uses too."""
    if order.cache is Cache.ISOLATED:
        return "cache isolation on, each test in sections of its own"
    if order.processes > 1:
        return "cache isolation off, caches shared by all tests"
    return "cache isolation on, sections shared by all tests"


def _cannot_start(runner: Runner, order: OrderFile, found: str) -> CannotStartError:
    own = f"Run {shown(runner.own_command(order.labels))} by hand to see all of it."
    if (above := _folder_above(runner)) is not None:
        own = f"Go to {above} first: this is {runner.folder}."
    return CannotStartError(
        f"The order could not be run: {found}. It needs the folder and the settings "
        f"that it was recorded with. {own}"
    )


def _folder_above(runner: Runner) -> Path | None:
    """Return the project's folder, where one stands in a folder of it."""
    if runner.fits(runner.folder):
        return None
    return next(filter(runner.fits, runner.folder.parents), None)


def _missing(run: ColdRun) -> list[str]:
    """Return the tests of the order that the suite has no more.

    Under pytest only the workers of a split run know what tests there are.
    """
    if not run.record.is_collected:
        return []
    there = {test.id for test in run.record.tests}
    return [test for test in dict.fromkeys(run.job.order.order) if test not in there]


def _no_longer(missing: Collection[str]) -> str:
    names = [printable(test) for test in missing][:SHOWN]
    more = len(missing) - len(names)
    listed = ", ".join(names) + (f" and {more} more" if more else "")
    verb = "exists" if len(missing) == 1 else "exist"
    return (
        f"{counted(len(missing), 'test')} of the order no longer {verb}: {listed}. "
        "Without them it says nothing of what was recorded. Record a new one with "
        "'cache-isolation stress'."
    )
