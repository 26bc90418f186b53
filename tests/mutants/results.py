"""What became of mutants, kept in a file after each of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.mutants.levels import FAST

__all__ = ["NO_TESTS", "Result", "Results", "share"]

NO_TESTS = "no tests"


@dataclass(slots=True)
class Result:
    """A mutant: ``level`` kills it, ``tried`` says what was run on each level."""

    id: str
    place: str
    mutator: str
    before: str
    after: str
    level: str | None = None
    test: str | None = None
    how: str = ""
    seconds: float = 0.0
    tried: dict[str, str] = field(default_factory=dict)
    unsteady: list[str] = field(default_factory=list)
    """Tests that failed without the mutant too."""

    @property
    def package(self) -> str:
        """The package that it is in."""
        return self.place.split("/")[1]

    def is_known(self, levels: Iterable[str]) -> bool:
        """Return whether nothing is left to try on some levels."""
        return self.level is not None or all(level in self.tried for level in levels)


class Results:
    """The file. What belongs to another state of the project is not gone on with."""

    def __init__(self, path: Path, about: Mapping[str, object]) -> None:
        self._path = path
        self._about = dict(about)
        self.by_id: dict[str, Result] = {}

    def resume(self) -> bool:
        """Read what is there; return False if that is about something else."""
        if not self._path.exists():
            return True
        kept = json.loads(self._path.read_text())
        if kept["about"] != self._about:
            return False
        self.by_id = {each["id"]: Result(**each) for each in kept["results"]}
        return True

    def add(self, result: Result) -> None:
        """Keep a result, in the file too."""
        self.by_id[result.id] = result
        kept = {
            "about": self._about,
            "results": [asdict(each) for each in self.by_id.values()],
        }
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_name(f"{self._path.name}.new")
        fresh.write_text(json.dumps(kept, indent=1) + "\n")
        fresh.replace(self._path)


def share(results: Sequence[Result], levels: Iterable[str]) -> tuple[float, float]:
    """Return the least and the most of what all levels kill that the fast ones do.

    They are the same if all levels were tried; otherwise any survivor may be killed on
    one that was not.
    """
    killed = sum(each.level is not None for each in results)
    fast = sum(each.level in FAST for each in results)
    open_ = sum(not each.is_known(levels) for each in results)
    return (
        fast / (killed + open_) if killed + open_ else 1.0,
        (fast + open_) / (killed + open_) if killed + open_ else 1.0,
    )
