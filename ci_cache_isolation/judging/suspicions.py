"""Suspicions put to the test: a victim alone, and after those that it is said to meet.

A few victims at a time, each of them until it is proved: when time is over, what was
begun first is known. A search over ``run``, which takes jobs and yields how they ended,
in any sequence, as long as there is time. It knows nothing of processes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ci_cache_isolation.judging.judged import Judged
from ci_cache_isolation.judging.minimising import needed_together
from ci_cache_isolation.judging.proofs import TIMES
from ci_cache_isolation.judging.searching import Order, Question, Search
from ci_cache_isolation.judging.verdicts import Verdict
from ci_cache_isolation.running.jobs import SectionMode
from ci_cache_isolation.running.limits import Runs
from ci_cache_isolation.running.outcomes import FAILED, PASSED

__all__ = ["Confirmation", "confirm", "quickest_first"]

_MOST_TOGETHER = 40
_MOST_ONE_BY_ONE = 12
_PROVING = 3 * TIMES


@dataclass(slots=True)
class Confirmation:
    """What was confirmed, in the sequence of the victims, and what it took.

    ``tested`` holds victims with those that were put to the test before them,
    ``untested`` the victims for which there was no time.
    """

    confirmed: list[Judged] = field(default_factory=list)
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


def confirm(  # noqa: PLR0913,PLR0917
    suspects: Mapping[str, Sequence[str]],
    run: Runs,
    at_a_time: int = 1,
    on_confirmed: Callable[[Judged], None] = lambda _: None,
    run_alone: Runs | None = None,
    is_over: Callable[[], bool] = lambda: False,
) -> Confirmation:
    """Put suspicions to the test.

    ``suspects`` names for each test those whose traces it would meet, in the sequence
    in which they ran. A test that is skipped alone is left out. As many victims are
    begun together as keep ``at_a_time`` runs going. ``run_alone`` runs one at a time:
    what is not steady is proved once more with nothing beside it. When ``is_over`` says
    so no more is begun.
    """
    searches = [
        Search(each, SectionMode.SHARED, is_over)
        for each in (run, run_alone)
        if each is not None
    ]
    found = Confirmation()
    victims = list(suspects)
    while victims and not is_over():
        wave = dict.fromkeys(_next(victims, suspects, at_a_time))
        del victims[: len(wave)]
        answered = _answered(searches[0], {each: suspects[each] for each in wave})
        for question, after in answered:
            proved = _proved(question, after, searches) if after else None
            if after and proved is None:
                continue
            victim = question.test
            found.tested[victim] = frozenset(suspects[victim])
            if proved is not None:
                found.confirmed.append(proved)
                on_confirmed(proved)
        found.untested += [each for each in wave if each not in found.tested]
    found.untested += victims
    found.runs = sum(each.cost.runs for each in searches)
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


def _answered(
    search: Search, suspects: Mapping[str, Sequence[str]]
) -> Iterator[tuple[Question, list[Order]]]:
    """Yield whether each victim's outcome is changed, and who does it.

    None for which there was no time. Of two that store under one key the later one
    counts; so of many, run together, both have to be last once. Where none of the two
    orders changes anything nobody does.
    """
    many = {
        victim: ((*found, victim), (*reversed(found), victim))
        for victim, found in suspects.items()
        if len(found) > _MOST_ONE_BY_ONE
    }
    asked: dict[str, list[Order]] = {
        victim: [(victim,), *many.get(victim, ((each, victim) for each in found))]
        for victim, found in suspects.items()
    }
    ended = dict(search.ended(order for each in asked.values() for order in each))
    singles = {
        victim: [(each, victim) for each in suspects[victim]]
        for victim in many
        if len({ended.get(order) for order in asked[victim]}) > 1
    }
    ended |= dict(search.ended(order for each in singles.values() for order in each))
    for victim, found in suspects.items():
        orders = asked[victim] + singles.get(victim, [])
        if not ended.keys() >= {*orders}:
            continue
        alone = ended[victim,]
        question = Question(search, victim, str(alone))
        if alone not in {PASSED, FAILED}:
            yield question, []
            continue
        after: list[Order] = [
            (each,) for each in found if question.is_change(ended.get((each, victim)))
        ]
        # Not of many of whom it is known that together they change nothing.
        if not after and 1 < len(found) < len(orders):
            group = tuple(found[:_MOST_TOGETHER])
            if question.holds(group):
                after = list(filter(None, [needed_together(question, group)]))
            if search.is_over():
                continue
        yield question, after


def _proved(
    question: Question, after: Sequence[Order], searches: Sequence[Search]
) -> Judged | None:
    """Return a victim with its proof; None when time was over before."""
    victim, order = question.test, question.order(after[0])
    search, *quiet = searches
    cost, proof = search.cost, search.proof(victim, order)
    # Forks that run at a time may be in each other's way.
    if quiet and proof is not None and not proof.is_steady:
        [search] = quiet
        cost, proof = search.cost, search.proof(victim, order)
    if proof is None:
        return None
    verdict = Verdict.BRITTLE if question.unlike == FAILED else Verdict.VICTIM
    messages = question.search.messages
    return Judged(
        victim,
        verdict if proof.is_steady else Verdict.NON_DETERMINISTIC,
        proof,
        order,
        tuple(after),
        isolation_cures=proof.is_cured,
        message=messages.get(order) or messages.get((victim,), ""),
        cost=search.cost.since(cost, 1 + len(after)),
    )
