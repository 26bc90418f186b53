"""Suspicions put to the test: a victim alone, and after those that it is said to meet.

A few victims at a time, each of them until it is proved: when time is over, what was
begun first is known. A search over ``run``, which takes jobs and yields how they ended,
in any sequence, as long as there is time. It knows nothing of processes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from ci_cache_isolation.audit.proofs import TIMES, Proof, Verdict
from ci_cache_isolation.running.jobs import Job, Sections
from ci_cache_isolation.running.limits import Runs
from ci_cache_isolation.running.outcomes import FAILED, PASSED

__all__ = ["Confirmation", "Confirmed", "confirm", "quickest_first"]

_MOST_TOGETHER = 40
_MOST_ONE_BY_ONE = 12
_PROVING = 3 * TIMES

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A test whose outcome others change. Groups of ``after`` are needed together."""

    test: str
    verdict: Verdict
    after: tuple[tuple[str, ...], ...]
    proof: Proof
    message: str
    runs: int


@dataclass(slots=True)
class Confirmation:
    """What was confirmed, in the sequence of the victims, and what it took.

    ``tested`` holds victims with those that were put to the test before them,
    ``untested`` the victims for which there was no time.
    """

    confirmed: list[Confirmed] = field(default_factory=list)
    tested: dict[str, frozenset[str]] = field(default_factory=dict)
    untested: list[str] = field(default_factory=list)
    runs: int = 0


def quickest_first(
    suspects: Mapping[str, Sequence[str]],
    seconds: Mapping[str, float],
    cause: Callable[[str], Hashable],
) -> dict[str, Sequence[str]]:
    """Return suspicions in the sequence in which they are worth the time.

    First one victim of each cause that is suspected, then the others. ``seconds`` are
    those that tests took.
    """

    def cost(victim: str) -> float:
        found = suspects[victim]
        if len(found) > _MOST_ONE_BY_ONE:
            found = [*found, *found]
        others = [seconds.get(each, 0.0) for each in found]
        longest = max(others, default=0.0)
        own = seconds.get(victim, 0.0)
        return sum(others) + (1 + len(found) + _PROVING) * own + _PROVING * longest

    known: defaultdict[Hashable, int] = defaultdict(int)
    ranks: dict[str, tuple[int, int]] = {}
    for victim in sorted(suspects, key=cost):
        at = cause(victim)
        ranks[victim] = known[at], len(ranks)
        known[at] += 1
    return {victim: suspects[victim] for victim in sorted(ranks, key=ranks.__getitem__)}


def confirm(
    suspects: Mapping[str, Sequence[str]],
    run: Runs,
    at_a_time: int = 1,
    on_confirmed: Callable[[Confirmed], None] = lambda _: None,
    run_alone: Runs | None = None,
) -> Confirmation:
    """Put suspicions to the test.

    ``suspects`` names for each test those whose traces it would meet, in the sequence
    in which they ran. A test that is skipped alone is left out. As many victims are
    begun together as keep ``at_a_time`` runs going. ``run_alone`` runs one at a time:
    what is not steady is proved once more with nothing beside it.
    """
    search = _Search(run, run_alone)
    found = Confirmation()
    victims = list(suspects)
    while victims and not search.is_over:
        wave = dict.fromkeys(_next(victims, suspects, at_a_time))
        del victims[: len(wave)]
        judged = _judged(search, {each: suspects[each] for each in wave})
        for victim, (alone, after) in judged.items():
            proved = _proved(search, victim, after, alone) if after else None
            if after and proved is None:
                continue
            found.tested[victim] = frozenset(suspects[victim])
            if proved is not None:
                found.confirmed.append(proved)
                on_confirmed(proved)
        found.untested += [each for each in wave if each not in found.tested]
    found.untested += victims
    found.runs = search.runs
    return found


def _next(
    victims: Sequence[str], suspects: Mapping[str, Sequence[str]], at_a_time: int
) -> Iterator[str]:
    """Yield the next victims whose runs keep all processors at work."""
    runs = 0
    for victim in victims:
        yield victim
        number = len(suspects[victim])
        runs += 1 + (number if number <= _MOST_ONE_BY_ONE else 2)
        if runs >= 2 * at_a_time:
            return


def _judged(
    search: _Search, suspects: Mapping[str, Sequence[str]]
) -> dict[str, tuple[str, list[tuple[str, ...]]]]:
    """Return how victims end alone, and who changes that; none that lacked time.

    Of two that store under one key the later one counts; so of many, run together, both
    have to be last once. Where none of the two orders changes anything nobody does.
    """
    alone = {(victim, ()): (victim,) for victim in suspects}
    few: dict[tuple[str, tuple[str, ...]], tuple[str, ...]] = {}
    many: dict[tuple[str, tuple[str, ...]], tuple[str, ...]] = {}
    for victim, found in suspects.items():
        if len(found) > _MOST_ONE_BY_ONE:
            for group in (tuple(found), tuple(found)[::-1]):
                many[victim, group] = (*group, victim)
        else:
            few |= {(victim, (each,)): (each, victim) for each in found}
    outcomes = search.outcomes(alone | few | many)
    ends = {victim: outcomes[victim, ()] for victim in suspects}
    changed = {
        victim
        for (victim, group), got in outcomes.items()
        if group and got is not None and got != ends[victim]
    }
    more: dict[tuple[str, tuple[str, ...]], tuple[str, ...]] = {
        (victim, (each,)): (each, victim)
        for victim, _ in many
        if victim in changed
        for each in suspects[victim]
    }
    outcomes |= search.outcomes(more)
    judged: dict[str, tuple[str, list[tuple[str, ...]]]] = {}
    for victim, found in suspects.items():
        end = ends[victim]
        own = {group: got for (each, group), got in outcomes.items() if each == victim}
        if None in own.values():
            continue
        if end not in {PASSED, FAILED}:
            judged[victim] = (str(end), [])
            continue
        after: list[tuple[str, ...]] = [
            group
            for group, got in own.items()
            if len(group) == 1 and got in {PASSED, FAILED} and got != end
        ]
        is_open = len(found) <= _MOST_ONE_BY_ONE or victim in changed
        if not after and len(found) > 1 and is_open:
            group = _needed_together(search, victim, found, end)
            if search.is_over:
                continue
            after = [group] if group else []
        judged[victim] = end, after
    return judged


class _Search:
    """Runs jobs and counts them. It is over when one does not come to its end."""

    def __init__(self, run: Runs, run_alone: Runs | None = None) -> None:
        self.run = run
        self.run_alone = run_alone
        self.is_over = False
        self.runs = 0
        self.messages: dict[tuple[str, ...], str] = {}

    def outcomes(self, orders: Mapping[T, tuple[str, ...]]) -> dict[T, str | None]:
        """Return how the last test of each order ended, whichever ended first."""
        distinct = dict.fromkeys(orders.values())
        ended: dict[tuple[str, ...], str | None] = {}
        for forked in self.run(map(Job, distinct)):
            self.runs += 1
            ended[forked.job.tests] = forked.came_to
            if forked.message:
                self.messages[forked.job.tests] = forked.message
        found = {name: ended.get(order) for name, order in orders.items()}
        self.is_over = self.is_over or None in found.values()
        return found

    def failures(self, jobs: Sequence[Job], run: Runs) -> list[int]:
        """Return how often the last test of each failed, out of `TIMES`; none if over.

        All of them run at a time, as ``run`` has it.
        """
        failed, ended = dict.fromkeys(jobs, 0), dict.fromkeys(jobs, 0)
        for forked in run(job for job in failed for _ in range(TIMES)):
            self.runs += 1
            failed[forked.job] += forked.last == FAILED
            ended[forked.job] += forked.came_to is not None
        self.is_over = self.is_over or any(each < TIMES for each in ended.values())
        return [] if self.is_over else list(failed.values())


def _needed_together(
    search: _Search, victim: str, found: Sequence[str], alone: str
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


def _proof(
    search: _Search, victim: str, order: tuple[str, ...], run: Runs
) -> Proof | None:
    jobs = [Job((victim,)), Job(order), Job(order, Sections.ISOLATED)]
    if not (counts := search.failures(jobs, run)):
        return None
    proof = Proof(*counts)
    if proof.is_steady and not proof.is_of_caches:
        if not (counts := search.failures([Job(order, Sections.RESET)], run)):
            return None
        proof = replace(proof, reset=counts[0])
    return proof


def _proved(
    search: _Search,
    victim: str,
    after: Sequence[tuple[str, ...]],
    alone: str,
) -> Confirmed | None:
    """Return a victim with its proof; None when time was over before."""
    order = (*after[0], victim)
    proof = _proof(search, victim, order, search.run)
    if proof and not proof.is_steady and search.run_alone is not None:
        # Forks that run at a time may be in each other's way.
        proof = _proof(search, victim, order, search.run_alone)
    if proof is None:
        return None
    verdict = Verdict.BRITTLE if alone == FAILED else Verdict.VICTIM
    return Confirmed(
        test=victim,
        verdict=verdict if proof.is_steady else Verdict.NON_DETERMINISTIC,
        after=tuple(after),
        proof=proof,
        message=search.messages.get(order) or search.messages.get((victim,), ""),
        runs=search.runs,
    )
