"""What is found out about a test that failed."""

from __future__ import annotations

from dataclasses import dataclass, field

from ci_cache_isolation.judging.proofs import Proof
from ci_cache_isolation.judging.verdicts import Verdict
from ci_cache_isolation.running.checked_types import Amount, Count, Group

__all__ = ["Cost", "Judged", "Judgement", "Replayed"]


@dataclass(frozen=True, slots=True)
class Cost:
    """What it took: short runs, and the seconds in them."""

    runs: Count
    seconds: Amount

    def since(self, before: Cost, runs: int) -> Cost:
        """Return what was added since, and so many runs that it shares with others."""
        return Cost(
            self.runs - before.runs + runs, round(self.seconds - before.seconds, 6)
        )


@dataclass(frozen=True, slots=True)
class Replayed:
    """How often a test failed when the order in which it had failed was run again."""

    failed: Count
    runs: Count

    def __str__(self) -> str:
        return f"{self.failed}/{self.runs}"


@dataclass(frozen=True, slots=True)
class Judged:
    """A test, and what is the matter with it.

    ``after`` are its polluters, or state-setters where it is brittle: groups of tests
    that are needed together, each group enough. It is empty where none could be found;
    then ``order`` is a whole observed order that shows it every time. Otherwise
    ``order`` is the shortest one. ``is_complete`` says that all were looked for. Of a
    non-deterministic test ``replayed`` tells how it did in the same order.
    ``isolation_cures`` is None where it was not tried.
    """

    test: str
    verdict: Verdict
    proof: Proof
    order: tuple[str, ...]
    after: tuple[Group, ...] = ()
    cleaners: tuple[str, ...] = ()
    isolation_cures: bool | None = None
    replayed: Replayed | None = None
    message: str = ""
    is_complete: bool = True
    cost: Cost = field(default=Cost(0, 0.0))

    @property
    def failing_order(self) -> tuple[str, ...]:
        """The shortest order in which it is known to fail."""
        if self.verdict in {Verdict.BRITTLE, Verdict.BROKEN}:
            return (self.test,)
        return self.order


@dataclass(frozen=True, slots=True)
class Judgement:
    """All findings, and the tests for which there was no time or no way to run them.

    ``collided`` are tests that failed only while other orders ran beside theirs.
    """

    findings: tuple[Judged, ...]
    unjudged: tuple[str, ...]
    cost: Cost
    collided: tuple[str, ...] = ()
