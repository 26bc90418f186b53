"""What is the matter with a test, and what it takes to say so."""

from __future__ import annotations

import enum
from dataclasses import dataclass

__all__ = ["TIMES", "Proof", "Verdict"]

TIMES = 5
"""How often each part of a proof is run."""


class Verdict(enum.StrEnum):
    """What is the matter with a test."""

    VICTIM = "victim"
    BRITTLE = "brittle"
    NON_DETERMINISTIC = "non-deterministic"
    SELF_POLLUTING = "self-polluting"
    CROSS_PROCESS = "cross-process"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Proof:
    """How often out of `TIMES` the test failed: alone, after, after but isolated.

    None stands for what was not run.
    """

    alone: int
    after: int | None = None
    isolated: int | None = None

    @property
    def is_steady(self) -> bool:
        """Whether the same run always came to the same."""
        return {self.alone, self.after} == {0, TIMES}
