"""The command line: ``python -m bench``, or ``nox -s bench -- …``."""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
from rich.console import Console

from bench import measures
from bench.goals import Verdict
from bench.rounds import FULL, QUICK, Effort
from bench.stores import STORES
from bench.stressing import Timed, measured
from bench.table import Row, as_json, show, show_timed

EMPTY = "empty"
COMMANDS = "commands"
OPERATIONS = "operations"
ENTRIES = "entries"
STRESS = "stress"
TITLES = {
    EMPTY: "A test that touches no cache; in a suite of 2,000 (pytest: 200)",
    COMMANDS: "A whole command, start-up included; µs are for one test of 2,000",
    OPERATIONS: "One operation inside a test",
    ENTRIES: "A test that stores five entries",
    STRESS: "Seconds of a stress run, two processes",
}
SDISTS = Path(__file__).parents[1] / ".nox" / ".cache" / "peers"
WIDTH = 180


@click.command()
@click.option("--quick/--full", default=True, help="Few rounds (default), or many.")
@click.option(
    "--measure",
    "chosen",
    type=click.Choice(list(TITLES)),
    multiple=True,
    help="What to measure; may be given again. Default: everything.",
)
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write all.")
@click.option("--check", is_flag=True, help="Exit with 1 where a goal is missed.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the turns.")
@click.argument("stores", nargs=-1, type=click.Choice([each.name for each in STORES]))
def main(  # noqa: PLR0913, PLR0917 - one parameter for each option
    quick: bool,  # noqa: FBT001
    chosen: Sequence[str],
    json_file: Path | None,
    check: bool,  # noqa: FBT001
    seed: int,
    stores: Sequence[str],
) -> None:
    """Measure what isolation costs, on STORES (default: all) for what uses a store.

    All contestants take turns, so ratios hold on a busy machine too; intervals are
    90 %. The column plain/plain compares plain Django with itself: that is the noise.
    """
    console = Console(width=None if Console().is_terminal else WIDTH)
    effort = QUICK if quick else FULL
    rng = random.Random(seed)  # noqa: S311 - draws turns
    compared: dict[str, list[Row]] = {}
    timed: list[Timed] = []
    for name in chosen or TITLES:
        if name == STRESS:
            with tempfile.TemporaryDirectory(prefix="bench-") as folder:
                for each in measured(SDISTS, Path(folder), rng):
                    timed.append(each)
                    console.print(f"[dim]{each}[/dim]", highlight=False)
            show_timed(console, TITLES[name], timed)
            continue
        compared[name] = []
        for rows in _rows(name, stores, effort, rng):
            compared[name] += rows
            if len(rows) > 0:
                console.print(f"[dim]{rows[0].store}: measured[/dim]", highlight=False)
        show(console, TITLES[name], compared[name])
    if json_file is not None:
        document = json.dumps(as_json(compared, timed, seed), indent=2)
        json_file.write_text(f"{document}\n", encoding="utf-8")
    missed = sum(not each.is_met for each in timed) + sum(
        row.verdict is Verdict.MISSED for rows in compared.values() for row in rows
    )
    console.print(f"{missed} goals missed.")
    if check and missed:
        raise SystemExit(1)


def _rows(
    name: str, stores: Sequence[str], effort: Effort, rng: random.Random
) -> Iterator[list[Row]]:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        if name == EMPTY:
            yield list(measures.empty_tests(Path(folder), effort, rng))
        elif name == COMMANDS:
            yield list(measures.empty_commands(effort, rng))
        else:
            of_store = measures.operations if name == OPERATIONS else measures.entries
            for store in STORES:
                if not stores or store.name in stores:
                    own = Path(folder) / store.name
                    own.mkdir()
                    yield list(of_store(store, own, effort, rng))


if __name__ == "__main__":
    main()
