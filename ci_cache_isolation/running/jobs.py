"""What a fork is asked to run, and what becomes of it: for both sides of the socket."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["FORKS_VARIABLE", "End", "Forked", "Job", "Sections"]

FORKS_VARIABLE = "CI_CACHE_ISOLATION_FORKS"
"""Holds the number of the inherited socket."""


class Sections(enum.StrEnum):
    """How a fork's caches are.

    SHARED is what isolation off would be, but harmless: the tests of one fork meet in
    one section of each cache, and other forks see nothing of it. ISOLATED gives each
    test a section of its own.
    """

    SHARED = "shared"
    ISOLATED = "isolated"


class End(enum.StrEnum):
    """How a fork ended."""

    FINISHED = "finished"
    DIED = "died"
    TIMED_OUT = "timed out"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Job:
    """Tests to be run in one fork, in this order."""

    tests: tuple[str, ...]
    sections: Sections = Sections.SHARED


@dataclass(frozen=True, slots=True)
class Forked:
    """What became of a job.

    ``outcomes`` are by test. A test in which the process died or was stopped has
    failed; those behind it have no outcome. ``message`` is one line about the last
    test's failure, or about the end of the process.
    """

    job: Job
    end: End
    outcomes: Mapping[str, str]
    seconds: float
    message: str

    @property
    def last(self) -> str | None:
        """The outcome of the job's last test; None if the process did not get there."""
        return self.outcomes.get(self.job.tests[-1])
