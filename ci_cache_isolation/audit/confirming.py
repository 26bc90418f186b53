"""Suspicions put to the test: a victim alone, and behind those that it is said to meet.

A search over ``run``, which takes jobs and yields how they ended, in any sequence. It
knows nothing of processes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import TypeVar

from ci_cache_isolation.audit.proofs import TIMES, Proof, Verdict
from ci_cache_isolation.running.forks import Forked, Job, Sections
from ci_cache_isolation.running.outcomes import FAILED, PASSED

__all__ = ["Confirmation", "Confirmed", "Run", "confirm"]

_MOST_TOGETHER = 40
_MOST_ONE_BY_ONE = 12

T = TypeVar("T")
Run = Callable[[Iterable[Job]], Iterator[Forked]]


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A test whose outcome others change. Groups of ``after`` are needed together."""

    test: str
    verdict: Verdict
    after: tuple[tuple[str, ...], ...]
    proof: Proof
    message: str
    runs: int


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What was confirmed, in the sequence of the victims, and what it took.

    ``untested`` counts the tests for which there was no time.
    """

    confirmed: list[Confirmed]
    runs: int
    untested: int


def confirm(
    suspects: Mapping[str, Sequence[str]],
    run: Run,
    is_over: Callable[[], bool] = lambda: False,
) -> Confirmation:
    """Put suspicions to the test.

    ``suspects`` names for each test those whose traces it would meet, in the sequence
    in which they ran. A test that is skipped alone is left out. When ``is_over`` says
    so no more is begun, but for the proofs of what was found.
    """
    search = _Search(run, is_over)
    alone = search.outcomes({victim: (victim,) for victim in suspects})
    judged = {
        victim: found
        for victim, found in suspects.items()
        if alone[victim] in {PASSED, FAILED}
    }
    untested = sum(each is None for each in alone.values())
    judged = _without_harmless(search, judged, alone)
    singles = search.outcomes(
        {
            (victim, polluter): (polluter, victim)
            for victim, found in judged.items()
            for polluter in found
        }
    )
    after: defaultdict[str, list[tuple[str, ...]]] = defaultdict(list)
    for (victim, polluter), outcome in singles.items():
        if outcome in {PASSED, FAILED} and outcome != alone[victim]:
            after[victim].append((polluter,))
    for victim, found in judged.items():
        if victim not in after and len(found) > 1:
            group = _needed_together(search, victim, found, alone[victim])
            if group:
                after[victim].append(group)
    confirmed = [
        _proved(search, victim, after[victim], alone[victim])
        for victim in judged
        if victim in after
    ]
    untested += len({victim for (victim, _), got in singles.items() if got is None})
    return Confirmation(confirmed, search.runs, untested)


def _without_harmless(
    search: _Search,
    judged: Mapping[str, Sequence[str]],
    alone: Mapping[str, str | None],
) -> dict[str, Sequence[str]]:
    """Leave out whom none of many changes, all before it, in one sequence or the other.

    Of two that store under one key the later one counts; so both have to be last once.
    """
    orders = {
        (victim, is_reverse): (*(found[::-1] if is_reverse else found), victim)
        for victim, found in judged.items()
        for is_reverse in (False, True)
        if len(found) > _MOST_ONE_BY_ONE
    }
    together = search.outcomes(orders)
    changed = {victim for (victim, _), got in together.items() if got != alone[victim]}
    return {
        victim: found
        for victim, found in judged.items()
        if victim in changed or len(found) <= _MOST_ONE_BY_ONE
    }


class _Search:
    """Runs jobs and counts them."""

    def __init__(self, run: Run, is_over: Callable[[], bool]) -> None:
        self._run = run
        self._is_over = is_over
        self.runs = 0
        self.messages: dict[tuple[str, ...], str] = {}

    def outcomes(self, orders: Mapping[T, tuple[str, ...]]) -> dict[T, str | None]:
        """Return how the last test of each order ended, whichever ended first."""
        distinct = dict.fromkeys(orders.values())
        # Asked for one at a time: the time may be over meanwhile.
        jobs = takewhile(lambda _: not self._is_over(), map(Job, distinct))
        ended: dict[tuple[str, ...], str | None] = {}
        for forked in self._run(jobs):
            self.runs += 1
            ended[forked.job.tests] = forked.last
            if forked.message:
                self.messages[forked.job.tests] = forked.message
        return {name: ended.get(order) for name, order in orders.items()}

    def failures(
        self, order: tuple[str, ...], sections: Sections = Sections.SHARED
    ) -> int:
        """Return how often the last test of an order failed, out of `TIMES`."""
        jobs = [Job(order, sections) for _ in range(TIMES)]
        failed = 0
        for forked in self._run(jobs):
            self.runs += 1
            failed += forked.last == FAILED
        return failed


def _needed_together(
    search: _Search, victim: str, found: Sequence[str], alone: str | None
) -> tuple[str, ...]:
    """Return a smallest group that changes the outcome where nobody does it alone.

    Delta debugging inside the observed sequence: what can go goes, half by half.
    """

    def changes(group: Sequence[str]) -> bool:
        order = (*group, victim)
        return search.outcomes({0: order})[0] not in {alone, None}

    group = list(found[:_MOST_TOGETHER])
    if not changes(group):
        return ()
    size = len(group) // 2
    while size:
        start = 0
        while start < len(group):
            rest = group[:start] + group[start + size :]
            if rest and changes(rest):
                group = rest
            else:
                start += size
        size //= 2
    return tuple(group)


def _proved(
    search: _Search,
    victim: str,
    after: Sequence[tuple[str, ...]],
    alone: str | None,
) -> Confirmed:
    order = (*after[0], victim)
    proof = Proof(
        alone=search.failures((victim,)),
        after=search.failures(order),
        isolated=search.failures(order, Sections.ISOLATED),
    )
    if proof.is_steady and not proof.is_of_caches:
        proof = replace(proof, reset=search.failures(order, Sections.RESET))
    verdict = Verdict.BRITTLE if alone == FAILED else Verdict.VICTIM
    return Confirmed(
        test=victim,
        verdict=verdict if proof.is_steady else Verdict.NON_DETERMINISTIC,
        after=tuple(after),
        proof=proof,
        message=search.messages.get(order) or search.messages.get((victim,), ""),
        runs=search.runs,
    )
