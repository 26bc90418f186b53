"""A recorded order: enough to run it again in a cold process."""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from ci_cache_isolation.errors import IsolationError
from ci_cache_isolation.running.private_files import written
from ci_cache_isolation.running.shapes import (
    Shape,
    ShapeError,
    argument,
    choice,
    either,
    exactly,
    flag,
    items,
    loaded,
    record,
    text,
    whole,
)

__all__ = ["Cache", "OrderFile", "OrderFileError", "arranged"]

SCHEMA = 2
_NOT_AN_ORDER = (
    "{} holds no recorded order ({}). Only such a file can be replayed. "
    "'cache-isolation stress' and 'audit' write them to orders/ in their report folder."
)


class OrderFileError(IsolationError):
    """A file holds no order that can be run."""

    slug = "order-file"


class Cache(enum.StrEnum):
    """Whether tests have sections of their own or meet in the caches."""

    ISOLATED = "isolated"
    SHARED = "shared"


def _seed(value: Any, at: str) -> None:
    """Let pass what PYTHONHASHSEED may be."""
    text(value, at)
    if not re.fullmatch("[0-9]{1,10}", value) or int(value) >= 2**32:
        raise ShapeError(f"{at} is no seed of hashes")


MOST_PROCESSES = 1024
"""More workers are no split run, but somebody who wants to do harm."""
_SHAPE: Shape = record(
    {
        "schema": exactly(SCHEMA),
        "name": text,
        "runner": argument,
        "cache": choice(Cache),
        "hash_seed": either(choice(["random"]), _seed),
        "labels": items(argument),
        "order": items(text),
    },
    {"is_exact": flag, "processes": whole(1, MOST_PROCESSES)},
    is_whole=True,
)


@dataclass(frozen=True, slots=True)
class OrderFile:
    """An order, and the way it was run. An empty ``order`` is the suite's own.

    ``name`` is what people call it. One that is exact is run as it stands: nothing
    else, nothing sorted by the runner, and what is listed twice runs twice.
    ``processes`` is the number of workers that it was dealt out to, 1 for none.
    """

    name: str
    runner: str
    cache: Cache
    hash_seed: str
    labels: tuple[str, ...]
    order: tuple[str, ...]
    is_exact: bool = False
    processes: int = 1

    def write(self, path: Path) -> None:
        """Write it as JSON."""
        values = {"schema": SCHEMA, **asdict(self)}
        written(path, json.dumps(values, indent=1) + "\n")

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read it; `OrderFileError` says what is wrong with the file."""
        try:
            values = loaded(path)
            _SHAPE(values, "")
        except ShapeError as error:
            raise OrderFileError(_NOT_AN_ORDER.format(path, error)) from None
        del values["schema"]
        values["cache"] = Cache(values["cache"])
        values["labels"] = tuple(values["labels"])
        values["order"] = tuple(values["order"])
        return cls(**values)


def arranged(ids: Sequence[str], order: Sequence[str]) -> list[int]:
    """Return the positions of ids in the sequence that an order puts them in.

    Ids that the order doesn't know stay after the others, in their own sequence.
    """
    places = {test: place for place, test in enumerate(order)}
    return sorted(
        range(len(ids)), key=lambda position: places.get(ids[position], len(places))
    )
