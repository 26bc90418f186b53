"""A recorded order: enough to run it again in a cold process."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from ci_cache_isolation.errors import IsolationError
from ci_cache_isolation.stress.plan import Kind, Step
from ci_cache_isolation.stress.results import Cache

__all__ = ["OrderFile", "OrderFileError"]

SCHEMA = 1
_NOT_AN_ORDER = (
    "{} holds no recorded order ({}). Only such a file can be replayed. "
    "'cache-isolation stress' writes them to orders/ in its report folder."
)


class OrderFileError(IsolationError):
    """A file holds no order that can be run."""

    slug = "order-file"


@dataclass(frozen=True, slots=True)
class OrderFile:
    """An order, and the way it was run. An empty ``order`` is the suite's own.

    One that is exact is run as it stands: nothing else, nothing sorted by the runner,
    and what stands there twice runs twice.
    """

    step: Step
    runner: str
    cache: Cache
    hash_seed: str
    labels: tuple[str, ...]
    order: tuple[str, ...]
    is_exact: bool = False

    def write(self, path: Path) -> None:
        """Write it as JSON."""
        text = json.dumps({"schema": SCHEMA, **asdict(self)}, indent=1)
        path.write_text(text + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read it; `OrderFileError` says what is wrong with the file."""
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            if (schema := values.pop("schema")) != SCHEMA:
                raise OrderFileError(_NOT_AN_ORDER.format(path, f"schema {schema!r}"))
            step = values["step"]
            values["step"] = Step(**{**step, "kind": Kind(step["kind"])})
            values["cache"] = Cache(values["cache"])
            values["labels"] = tuple(values["labels"])
            values["order"] = tuple(values["order"])
            return cls(**values)
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            found = f"{type(error).__name__}: {error}"
            raise OrderFileError(_NOT_AN_ORDER.format(path, found)) from None
