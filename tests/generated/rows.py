"""Which projects are generated: rows of answers in which every pair of them occurs."""

import importlib.util
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path

from allpairspy import AllPairs

TEMPLATE = Path(__file__).parents[2] / "template"

Row = Mapping[str, str]


def choices() -> dict[str, Sequence[str]]:
    """Return what the template takes for an answer, defaults first."""
    path = TEMPLATE / "local_extensions.py"
    spec = importlib.util.spec_from_file_location("local_extensions", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {name: values for name, (values, _) in module.CHOICES.items()}


def all_rows() -> list[Row]:
    """Return the rows, the same each time; the first of them is the defaults."""
    options = choices()
    # The longest first makes fewer rows.
    names = sorted(options, key=lambda name: -len(options[name]))
    found = AllPairs([options[name] for name in names])
    return [{name: row[names.index(name)] for name in options} for row in found]


def sample(rows: Sequence[Row], size: int) -> list[Row]:
    """Return the first row and those that have most of what is still missing."""
    chosen = [rows[0]]
    while len(chosen) < size:
        seen = {item for row in chosen for item in row.items()}
        chosen.append(max(rows, key=lambda row: len(set(row.items()) - seen)))
    return chosen


def pairs(rows: Sequence[Row]) -> set[tuple[tuple[str, str], tuple[str, str]]]:
    """Return all pairs of an answer and another that occur in a row."""
    return {pair for row in rows for pair in combinations(row.items(), 2)}


def name_of(row: Row) -> str:
    """Return what a row is called on the command line."""
    return "-".join(row.values())
