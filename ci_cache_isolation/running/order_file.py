"""A recorded order: enough to run it again in a cold process."""

from __future__ import annotations

import enum
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from ci_cache_isolation.errors import IsolationError

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


@dataclass(frozen=True, slots=True)
class OrderFile:
    """An order, and the way it was run. An empty ``order`` is the suite's own.

    ``name`` is what people call it. One that is exact is run as it stands: nothing
    else, nothing sorted by the runner, and what stands there twice runs twice.
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
        text = json.dumps({"schema": SCHEMA, **asdict(self)}, indent=1)
        path.write_text(text + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read it; `OrderFileError` says what is wrong with the file."""
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            found = getattr(error, "strerror", None) or "it is no JSON"
            raise OrderFileError(_NOT_AN_ORDER.format(path, found)) from None
        if not isinstance(values, dict) or values.pop("schema", None) != SCHEMA:
            found = f"it has no schema {SCHEMA}"
            raise OrderFileError(_NOT_AN_ORDER.format(path, found))
        try:
            values["cache"] = Cache(values["cache"])
            values["labels"] = tuple(values["labels"])
            values["order"] = tuple(values["order"])
            return cls(**values)
        except (ValueError, TypeError, KeyError):
            found = "parts of one are missing or unknown"
            raise OrderFileError(_NOT_AN_ORDER.format(path, found)) from None


def arranged(ids: Sequence[str], order: Sequence[str]) -> list[int]:
    """Return the positions of ids in the sequence that an order puts them in.

    Ids that the order doesn't know stay behind the others, in their own sequence.
    """
    places = {test: place for place, test in enumerate(order)}
    return sorted(
        range(len(ids)), key=lambda position: places.get(ids[position], len(places))
    )
