"""``cache-isolation replay``: a recorded order, once more."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import click

from ci_cache_isolation.commands.exits import ExitCode, fail
from ci_cache_isolation.report.words import printable
from ci_cache_isolation.running.cold import ColdJob, ColdRuns
from ci_cache_isolation.running.jobs import End
from ci_cache_isolation.running.order_file import Cache, OrderFile, OrderFileError
from ci_cache_isolation.running.output import cause_in, shown, shown_path
from ci_cache_isolation.running.runners import NoRunnerError, runner_named
from ci_cache_isolation.stress.executors import CannotStartError

__all__ = ["replay"]


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--cache",
    type=click.Choice([cache.value for cache in Cache]),
    help="Sections for each test, or caches shared by all  [default: as recorded]",
)
def replay(file: Path, cache: str | None) -> None:
    """Run an order that was recorded again, in a cold process.

    Shows what the tests print. FILE is one of those in a report's folder orders/. With
    --cache=isolated a failure that isolation cures is gone.
    """
    try:
        order = OrderFile.read(file)
        runner = runner_named(order.runner, Path.cwd())
    except (OrderFileError, NoRunnerError) as error:
        fail(error, ExitCode.USAGE)
    if cache is not None:
        order = replace(order, cache=Cache(cache))
    path = file.with_name(f"{file.stem.removesuffix('-again')}-again.json").absolute()
    job = ColdJob.of(runner, order, path)
    click.echo(
        f"Replaying {printable(order.name)}, cache {order.cache}: {shown(job.command)}"
    )
    try:
        [run] = ColdRuns(Path.cwd()).run([job], 1)
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)
    if not run.record.is_collected and order.processes == 1:
        found = cause_in(job.log_path) or f"exit code {run.exit_code}"
        text = (
            f"The order could not be run: {found}. It needs the folder and the "
            "settings that it was recorded with. All it printed is "
            f"in {shown_path(job.log_path)}."
        )
        fail(CannotStartError(text), ExitCode.CANNOT_START)
    sys.stdout.flush()
    with job.log_path.open("rb") as log:
        shutil.copyfileobj(log, sys.stdout.buffer)
    sys.stdout.flush()
    failed = run.record.failed
    if run.culprit and run.culprit not in failed:
        failed.append(run.culprit)
    for test in failed:
        click.echo(f"failed: {printable(test)}")
    has_failed = failed or run.end is not End.FINISHED
    sys.exit(ExitCode.FOUND if has_failed else ExitCode.CLEAN)
