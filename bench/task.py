"""What a worker process is told when it starts: one contestant's circumstances."""

from __future__ import annotations

import enum
import json
from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["Job", "Task"]


class Job(enum.StrEnum):
    """What a worker measures."""

    OPERATIONS = "operations"
    SUITES = "suites"
    PYTEST = "pytest"


@dataclass(frozen=True, slots=True)
class Task:
    """A worker's job, whether isolation is on, and its settings.

    With ``is_cut`` the client gets the server's recorded answers instead of asking.
    """

    job: Job
    is_isolated: bool
    caches: dict[str, dict[str, Any]]
    databases: dict[str, dict[str, Any]] = field(default_factory=dict)
    is_cut: bool = False

    def to_json(self) -> str:
        """Write the task for a command line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Task:
        """Read what `to_json` wrote."""
        read = json.loads(text)
        return cls(**{**read, "job": Job(read["job"])})
