"""``cache-isolation stress``."""

from __future__ import annotations

import os
import re
import secrets
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click

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
from ci_cache_isolation.report.document import stress_document
from ci_cache_isolation.report.folders import STRESS_REPORT, prepared
from ci_cache_isolation.report.progress import ProgressTerminal
from ci_cache_isolation.running.order_file import Cache
from ci_cache_isolation.running.output import shown
from ci_cache_isolation.running.runners import NoRunnerError, runner_named
from ci_cache_isolation.running.runners.arguments import has_options
from ci_cache_isolation.stress.engine import Stress
from ci_cache_isolation.stress.executors import NothingRanError
from ci_cache_isolation.stress.plan import Shard, Wishes
from ci_cache_isolation.stress.request import WHOLE, StressRequest
from ci_cache_isolation.stress.run_file import RUN_FILE, Known, PlanHeader, ResumeError

__all__ = ["stress"]

_NO_SEED = (
    "--shard {number}/{of} has no --seed. Every shard has to plan the same orders to "
    "take its part of them. "
    "Give all of them the same --seed, the run's number for example."
)


_OPTIONS = (
    "The run in {} was begun with options of the test command. Options run code, and a "
    "file can come from anywhere. Read them, and give them yourself: {}"
)


_Base = TypeVar("_Base", StressRequest, Wishes)


def _shard(
    _context: click.Context, _option: click.Parameter, value: str | None
) -> Shard | None:
    """Read K/N, as in 2/4."""
    if value is None:
        return None
    found = re.fullmatch(r"(\d+)/(\d+)", value)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise click.BadParameter(
            f"{value!r} is no shard. Write 1/4 to 4/4 for four of them."
        )
    return Shard(int(found[1]), int(found[2]))


@click.command(cls=WithLabels)
@click.argument("labels", nargs=-1)
@click.option(
    "--report",
    type=click.Path(file_okay=False, path_type=Path),
    default=STRESS_REPORT,
    show_default=True,
    help="Folder for report.json and the orders that were run.",
)
@click.option(
    "--resume",
    is_flag=True,
    help="Go on where the run in the report's folder ended. What is not given is as "
    "it was there; --orders may be more.",
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
    help="Run orders for no longer than so many minutes; as long again, at most, for "
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
    help="Orders at a time  [default: one for each processor]",
)
@click.option(
    "--split",
    type=click.IntRange(0),
    help="Workers of the run that is split, as --parallel or -n; 0 for no such run  "
    "[default: 2]",
)
@click.option(
    "--shard",
    callback=_shard,
    metavar="K/N",
    help="Run part K of N of the plan. Every part needs the same --seed; "
    "'cache-isolation merge' joins the reports.",
)
@click.option(
    "--mixed",
    is_flag=True,
    help="Shuffle tests one by one, and keep no class together.",
)
@click.option(
    "--traces/--no-traces",
    default=None,
    envvar="CI_CACHE_ISOLATION_TRACES",
    help="Find out first what each test leaves besides caches, and which tests fail "
    "when it is there  [default: yes]",
)
@click.option(
    "--cache",
    type=click.Choice([cache.value for cache in Cache]),
    help="Sections for each test, or caches shared by all  [default: isolated, unless "
    "CI_CACHE_ISOLATION=off]",
)
@click.option(
    "--hash-keys",
    is_flag=True,
    envvar=HASH_VARIABLE,
    help="Write no key down as it is, but a hash that is this run's own.",
)
@allow_incomplete_option
@runner_option
def stress(
    labels: Sequence[str],
    report: Path,
    resume: bool,  # noqa: FBT001
    orders: int | None,
    minutes: float | None,
    until_pairs: float | None,
    seed: int | None,
    processes: int | None,
    split: int | None,
    shard: Shard | None,
    mixed: bool,  # noqa: FBT001
    traces: bool | None,  # noqa: FBT001
    cache: str | None,
    hash_keys: bool,  # noqa: FBT001
    allow_incomplete: bool,  # noqa: FBT001
    runner: str,
) -> None:
    """Run the suite in many orders, and find out why tests fail in some.

    LABELS are those of `manage.py test`, or pytest's arguments.
    """
    console = OwnConsole(highlight=False)
    if shard and shard.of > 1 and seed is None and not resume:
        text = _NO_SEED.format(number=shard.number, of=shard.of)
        fail(OptionError(text), ExitCode.USAGE)
    file = report / "orders" / RUN_FILE
    try:
        known = _known(report, labels) if resume else None
        if known is not None and runner == "auto":
            runner = known.about.runner
        chosen = runner_named(runner, Path.cwd())
        base = _fresh(cache, until_pairs) if known is None else known.about.request
        request = _with(
            base,
            labels=tuple(labels) or None,
            cache=Cache(cache) if cache else None,
            wishes=_with(
                base.wishes,
                orders=orders,
                until_pairs=until_pairs,
                split=split,
                mixed=mixed or None,
            ),
            minutes=minutes,
            seed=seed,
            processes=processes,
            shard=shard,
            hashes_keys=hash_keys or None,
            traces=traces,
        )
        if known is not None:
            # What the suite is shows when it is set up.
            then = known.about
            known.check(PlanHeader(request, chosen.name, then.settings, then.suite))
        orders_folder = prepared(report, resumes=resume)
    except (OptionError, NoRunnerError, ResumeError) as error:
        fail(error, ExitCode.USAGE)
    try:
        with closing(ProgressTerminal(console)) as terminal:
            terminal.begin_stress(
                chosen.title,
                request.cache,
                request.seed,
                request.processes,
                known.runs if known else (),
            )
            result = Stress(chosen, request, orders_folder, terminal, known).run()
    except ResumeError as error:
        fail(error, ExitCode.USAGE)
    except NothingRanError as error:
        fail(error, ExitCode.NOTHING_RAN)
    except IsolationError as error:
        fail(error, ExitCode.CANNOT_START)
    document = stress_document(result)
    resuming = _resuming(report, request.labels) if file.exists() else ""
    hand_over(document, report, console, resuming)
    if result.failure:
        click.echo(f"cache-isolation: {result.failure}", err=True)
    sys.exit(ExitCode.of(document, allows_incomplete=allow_incomplete))


def _known(report: Path, labels: Sequence[str]) -> Known:
    """Return what a report's folder holds of a run that can go on with these labels."""
    known = Known.read(report / "orders" / RUN_FILE)
    recorded = known.about.request.labels
    if not labels and has_options(recorded):
        text = _OPTIONS.format(known.path, _resuming(report, recorded))
        raise ResumeError(text)
    return known


def _fresh(cache: str | None, until_pairs: float | None) -> StressRequest:
    """Return what is run where nothing is asked for, besides these two."""
    return StressRequest(
        labels=(),
        cache=Cache(cache) if cache else _cache_from_options(),
        wishes=Wishes(orders=10 if until_pairs is None else None, split=2),
        minutes=None,
        seed=secrets.randbelow(10_000),
        processes=os.cpu_count() or 1,
        shard=WHOLE,
    )


def _with(base: _Base, **given: Any) -> _Base:
    """Return it with all that is given, which is not None."""
    is_given = {name: value for name, value in given.items() if value is not None}
    return replace(base, **is_given)


def _cache_from_options() -> Cache:
    said = enabled_by_environment()
    return Cache.ISOLATED if said is None or said.value else Cache.SHARED


def _resuming(report: Path, labels: Sequence[str]) -> str:
    """Return the command that goes on from what is in a report's folder."""
    named = () if report == STRESS_REPORT else ("--report", str(report))
    given = ("--", *labels) if has_options(labels) else ()
    return shown(["cache-isolation", "stress", "--resume", *named, *given])
