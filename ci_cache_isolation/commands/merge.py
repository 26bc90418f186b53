"""``cache-isolation merge``: the reports of shards made into one."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from ci_cache_isolation.commands.exits import (
    ExitCode,
    OwnConsole,
    allow_incomplete_option,
    fail,
    hand_over,
)
from ci_cache_isolation.report.files import REPORT
from ci_cache_isolation.report.merging import MergeError, merged
from ci_cache_isolation.running.json_files import FileError, loaded

__all__ = ["merge"]


@click.command()
@click.argument(
    "reports", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path)
)
@click.option(
    "--report",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".cache-isolation") / "merged",
    show_default=True,
    help="Folder for the report of all.",
)
@allow_incomplete_option
def merge(
    reports: Sequence[Path],
    report: Path,
    allow_incomplete: bool,  # noqa: FBT001
) -> None:
    """Make one report of those of several shards or nights.

    REPORTS are report.json files, or the folders that they are in. Pairs of tests are
    counted exactly over all of them.
    """
    try:
        document = merged([_read(path) for path in reports])
    except MergeError as error:
        fail(error, ExitCode.USAGE)
    hand_over(document, report, OwnConsole(highlight=False))
    sys.exit(ExitCode.of(document, allows_incomplete=allow_incomplete))


def _read(path: Path) -> tuple[str, dict[str, object]]:
    file = path / REPORT if path.is_dir() else path
    try:
        document = loaded(file)
    except FileError:
        document = None
    if not isinstance(document, dict):
        raise MergeError(
            f"{file} holds no report. Only what 'cache-isolation stress' wrote can be "
            "merged. Name its report.json files, or their folders."
        )
    return str(file), document
