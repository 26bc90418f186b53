"""What the plugin inside a run of pytest says of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Ended", "Report"]


@dataclass(frozen=True, slots=True)
class Ended:
    """A test that came to its end."""

    outcome: str
    seconds: float
    contexts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """The tests of a run, and the one in which it ended if there is one."""

    tests: dict[str, Ended]
    running: str | None

    @classmethod
    def read(cls, path: Path) -> Report:
        """Read a file; there is none if pytest did not come to any test."""
        tests, running = {}, None
        text = path.read_text() if path.exists() else ""
        # The last line of a run that was killed may be torn.
        for line in text.split("\n")[:-1]:
            said = json.loads(line)
            running = said.get("begun")
            if running is None:
                contexts = tuple(said["contexts"])
                ended = Ended(said["outcome"], said["seconds"], contexts)
                tests[said["ended"]] = ended
        return cls(tests, running)

    @property
    def failed(self) -> list[str]:
        """The tests that failed."""
        return [test for test, each in self.tests.items() if each.outcome == "failed"]
