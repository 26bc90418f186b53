"""``cache-isolation stress``."""

from __future__ import annotations

import os
import re
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from ci_cache_isolation.audit.proofs import Verdict
from ci_cache_isolation.commands.exits import ExitCode, fail, runner_option
from ci_cache_isolation.errors import IsolationError, OptionError
from ci_cache_isolation.isolation.options import enabled
from ci_cache_isolation.report.document import write
from ci_cache_isolation.report.folders import STRESS_REPORT, prepared
from ci_cache_isolation.report.stress_document import stress_document
from ci_cache_isolation.report.terminal import StressTerminal
from ci_cache_isolation.running.jobs import End
from ci_cache_isolation.running.order_file import Cache
from ci_cache_isolation.running.runners import NoRunnerError, runner_named
from ci_cache_isolation.stress.engine import Stress
from ci_cache_isolation.stress.executors import NothingRanError
from ci_cache_isolation.stress.plan import Shard, Wishes
from ci_cache_isolation.stress.request import Request
from ci_cache_isolation.stress.results import StressResult

__all__ = ["stress"]

_NO_SEED = (
    "--shard {number}/{of} has no --seed. Every shard has to plan the same orders to "
    "take its part of them. "
    "Give all of them the same --seed, the run's number for example."
)


def _shard(_context: click.Context, _option: click.Parameter, value: str) -> Shard:
    """Read K/N, as in 2/4."""
    found = re.fullmatch(r"(\d+)/(\d+)", value)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise click.BadParameter(
            f"{value!r} is no shard. Write 1/4 to 4/4 for four of them."
        )
    return Shard(int(found[1]), int(found[2]))


@click.command()
@click.argument("labels", nargs=-1)
@click.option(
    "--report",
    type=click.Path(file_okay=False, path_type=Path),
    default=STRESS_REPORT,
    show_default=True,
    help="Folder for report.json and the orders that were run.",
)
@click.option(
    "--orders",
    type=click.IntRange(0),
    help="Random orders and rows, besides forward, reverse and each test twice  "
    "[default: 10, or as many as --until-pairs needs]",
)
@click.option(
    "--minutes",
    type=click.FloatRange(0, min_open=True),
    help="Begin no further order after so many minutes; as long again, at most, for "
    "finding the reasons.",
)
@click.option(
    "--until-pairs",
    type=click.FloatRange(0, 1),
    help="Go on until this share of the tests of each class, of the classes of each "
    "module and so on were neighbours.",
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
    "--shard",
    callback=_shard,
    metavar="K/N",
    default="1/1",
    help="Run part K of N of the plan. Every part needs the same --seed; "
    "'cache-isolation merge' joins the reports.",
)
@click.option(
    "--mixed",
    is_flag=True,
    help="Shuffle tests one by one, and keep no class together.",
)
@click.option(
    "--cache",
    type=click.Choice([cache.value for cache in Cache]),
    help="Sections for each test, or caches shared by all  [default: isolated, unless "
    "CI_CACHE_ISOLATION=off]",
)
@runner_option
def stress(
    labels: Sequence[str],
    report: Path,
    orders: int | None,
    minutes: float | None,
    until_pairs: float | None,
    seed: int | None,
    processes: int,
    split: int,
    shard: Shard,
    mixed: bool,  # noqa: FBT001
    cache: str | None,
    runner: str,
) -> None:
    """Run the suite in many orders, and find out why tests fail in some.

    LABELS are those of `manage.py test`, or pytest's arguments.
    """
    terminal = StressTerminal(Console(highlight=False))
    if shard.of > 1 and seed is None:
        text = _NO_SEED.format(number=shard.number, of=shard.of)
        fail(OptionError(text), ExitCode.USAGE)
    try:
        caches = Cache(cache) if cache else _cache_from_options()
        chosen = runner_named(runner, Path.cwd())
        orders_folder = prepared(report)
    except (OptionError, NoRunnerError) as error:
        fail(error, ExitCode.USAGE)
    if orders is None and until_pairs is None:
        orders = 10
    request = Request(
        labels=tuple(labels),
        cache=caches,
        wishes=Wishes(orders=orders, until_pairs=until_pairs, split=split, mixed=mixed),
        minutes=minutes,
        seed=secrets.randbelow(10_000) if seed is None else seed,
        processes=processes,
        shard=shard,
    )
    terminal.begin(chosen.name, caches, request.seed, processes)
    try:
        result = Stress(chosen, request, orders_folder, terminal).run()
    except NothingRanError as error:
        terminal.quiet()
        fail(error, ExitCode.NOTHING_RAN)
    except IsolationError as error:
        terminal.quiet()
        fail(error, ExitCode.CANNOT_START)
    path = report / "report.json"
    write(stress_document(result), path)
    terminal.end(result, path)
    if result.failure:
        click.echo(f"cache-isolation: {result.failure}", err=True)
    sys.exit(_exit_code(result))


def _cache_from_options() -> Cache:
    return Cache.ISOLATED if enabled().value else Cache.SHARED


def _exit_code(result: StressResult) -> ExitCode:
    if result.is_interrupted:
        return ExitCode.INTERRUPTED
    verdicts = {each.judged.verdict for each in result.findings.values()}
    if verdicts - {Verdict.BROKEN} or any(each.is_flaky for each in result.failing):
        return ExitCode.FOUND
    is_whole = all(run.end is End.FINISHED for run in result.runs)
    is_broken = bool(result.failing) or not is_whole or bool(result.failure)
    return ExitCode.CANNOT_START if is_broken else ExitCode.CLEAN
