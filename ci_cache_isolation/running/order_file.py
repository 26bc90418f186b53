"""A recorded order: enough to run it again in a cold process."""

from __future__ import annotations

import enum
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from ci_cache_isolation.running.private_files import written

__all__ = ["MOST_PROCESSES", "SCHEMA", "Cache", "OrderFile", "arranged"]

SCHEMA = 2
MOST_PROCESSES = 1024
"""More workers are no split run, but somebody who wants to do harm."""


class Cache(enum.StrEnum):
    """Whether tests have sections of their own or meet in the caches."""

    ISOLATED = "isolated"
    SHARED = "shared"


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
        """Read what `write` wrote. Any other file is for `recorded_order`."""
        values = json.loads(path.read_text(encoding="utf-8"))
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
