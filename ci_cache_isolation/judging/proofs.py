"""What it takes to say what is the matter with a test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

__all__ = ["TIMES", "Proof"]

TIMES = 5
"""How often each part of a proof is run."""
Times = Annotated[int, Meta(ge=0, le=TIMES)]


@dataclass(frozen=True, slots=True)
class Proof:
    """How often out of `TIMES` the test failed: alone, after, after but isolated.

    None stands for what was not run. Where isolation makes no difference ``reset`` says
    how often it did after them when memoised functions forgot in between as well.
    """

    alone: Times
    after: Times | None = None
    isolated: Times | None = None
    reset: Times | None = None

    @property
    def is_cured(self) -> bool:
        """Whether the test passes after them when each has sections of its own."""
        return self.is_of_caches and self.isolated == 0

    @property
    def is_of_caches(self) -> bool:
        """Whether what the tests leave in caches makes the difference."""
        return self.isolated == self.alone

    @property
    def is_of_memoised(self) -> bool:
        """Whether what functions remember makes it, and no cache."""
        return not self.is_of_caches and self.reset == self.alone

    @property
    def is_known(self) -> bool:
        """Whether caches or functions make the difference, and nothing else.

        Where the project has its functions forget, isolation stands for both.
        """
        return self.is_of_caches or self.is_of_memoised

    @property
    def is_steady(self) -> bool:
        """Whether the same run always came to the same."""
        return {self.alone, self.after} == {0, TIMES}
