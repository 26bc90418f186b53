"""The command line."""

from __future__ import annotations

import argparse
from pathlib import Path

from tests.mutants.levels import FAST, LEVELS

__all__ = ["parsed"]


def parsed(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read it; ``paths`` has those of each level asked for, ``all_paths`` of all."""
    parser = argparse.ArgumentParser(prog="nox -s mutants --", description=__doc__)
    choice = parser.add_argument_group("which mutants")
    choice.add_argument("--number", type=int, default=120, help="(default: 120)")
    choice.add_argument("--seed", type=int, default=1, help="(default: 1)")
    choice.add_argument("--shard", type=_shard, default=(1, 1), metavar="K/N")
    choice.add_argument(
        "--only", action="append", metavar="ID", help="this mutant, chosen or not"
    )
    choice.add_argument("--list", action="store_true", help="show them, run nothing")
    tests = parser.add_argument_group("which tests")
    tests.add_argument(
        "--levels",
        type=lambda text: tuple(text.split(",")),
        default=FAST,
        help=f"some of {','.join(LEVELS)} (default: {','.join(FAST)})",
    )
    tests.add_argument(
        "--paths",
        type=_paths,
        action="append",
        default=[],
        metavar="LEVEL=PATH,...",
        help="where a level's tests are, if not in the folder of its name",
    )
    tests.add_argument(
        "--most",
        type=int,
        default=40,
        help="tests of each level for a mutant (default: %(default)s)",
    )
    tests.add_argument(
        "--patience",
        type=float,
        default=60.0,
        help="seconds that a run of tests may take, at least (default: %(default)s)",
    )
    parser.add_argument(
        "--processes", type=int, default=2, help="at a time (default: %(default)s)"
    )
    parser.add_argument(
        "--cache", type=Path, required=True, help="folder for what is recorded"
    )
    parser.add_argument(
        "--out", type=Path, help="file for the results (default: one in the cache)"
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on with the results in that file"
    )
    options = parser.parse_args(arguments)
    unknown = set(options.levels) - LEVELS.keys()
    if unknown:
        parser.error(f"there is no level {' or '.join(sorted(unknown))}")
    options.all_paths = LEVELS | dict(options.paths)
    options.paths = {
        level: paths
        for level, paths in options.all_paths.items()
        if level in options.levels
    }
    options.out = options.out or options.cache / "results.json"
    return options


def _shard(text: str) -> tuple[int, int]:
    part, parts = map(int, text.split("/"))
    if not 1 <= part <= parts:
        raise argparse.ArgumentTypeError(f"{text} is no part")
    return part, parts


def _paths(text: str) -> tuple[str, tuple[str, ...]]:
    level, _, paths = text.partition("=")
    if level not in LEVELS or not paths:
        raise argparse.ArgumentTypeError(f"{text} gives no level its paths")
    return level, tuple(paths.split(","))
