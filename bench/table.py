"""Results as tables for people, and as JSON for programs."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.goals import Goal, Verdict, judged
from bench.spread import Comparison, Estimate
from bench.stressing import Timed

__all__ = ["Row", "as_json", "show", "show_timed"]

STYLES = {Verdict.MET: "green", Verdict.UNCLEAR: "yellow", Verdict.MISSED: "bold red"}
PACKAGES = ("ci-cache-isolation", "django", "pytest", "redis", "pymemcache")


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison: a case on a store, isolated against something else.

    ``control`` compares that something else with its own twin.
    """

    store: str
    case: str
    against: str
    measured: Comparison
    control: Comparison
    is_isolated: bool
    goal: Goal | None = None

    @property
    def verdict(self) -> Verdict:
        """What is said about the goal."""
        if not self.is_isolated:
            return Verdict.NOT_ISOLATED
        return judged(self.goal, self.measured, self.control)


def show(console: Console, title: str, rows: Iterable[Row]) -> None:
    """Print the rows of one measure."""
    table = Table(title=title, title_justify="left", title_style="bold")
    for heading in ("store", "case", "isolated against", "ratio", "plain/plain"):
        table.add_column(heading)
    table.add_column("µs more")
    table.add_column("of µs", justify="right", style="dim")
    table.add_column("goal")
    table.add_column("")
    for row in rows:
        table.add_row(
            row.store,
            row.case,
            row.against,
            _written(row.measured.ratio, ".3f"),
            _written(row.control.ratio, ".3f"),
            _written(row.measured.more, "+.2f"),
            f"{row.measured.base:.1f}",
            "" if row.goal is None else str(row.goal),
            row.verdict.value,
            style=STYLES.get(row.verdict),
        )
    console.print(table)


def _written(estimate: Estimate, form: str) -> str:
    return f"{estimate.median:{form}} ({estimate.low:{form}} .. {estimate.high:{form}})"


def show_timed(console: Console, title: str, rows: Iterable[Timed]) -> None:
    """Print seconds against seconds."""
    table = Table(title=title, title_justify="left", title_style="bold")
    for heading in ("what", "s", "against", "s", "ratio", "goal", "", ""):
        table.add_column(heading)
    for row in rows:
        verdict = Verdict.MET if row.is_met else Verdict.MISSED
        table.add_row(
            row.case,
            f"{row.ours:.1f}",
            row.against,
            f"{row.theirs:.1f}",
            f"{row.ratio:.3f}",
            f"≤ {row.limit:g} x",
            verdict.value,
            row.remark,
            style=STYLES[verdict],
        )
    console.print(table)


def as_json(
    measures: Mapping[str, Sequence[Row]], timed: Sequence[Timed], seed: int
) -> dict[str, Any]:
    """Return all rows, and what they were measured with."""
    return {
        "schema": 1,
        "seed": seed,
        "python": platform.python_version(),
        "system": platform.system(),
        "packages": {name: version(name) for name in PACKAGES},
        "measures": {
            name: [
                {
                    **asdict(row),
                    "goal": None if row.goal is None else str(row.goal),
                    "verdict": row.verdict.name.lower().replace("_", " "),
                }
                for row in rows
            ]
            for name, rows in measures.items()
        },
        "stress": [asdict(each) for each in timed],
    }
