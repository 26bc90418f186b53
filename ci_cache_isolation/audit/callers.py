"""Who of the many callers of memoised functions changes whom: by runs of all of them.

The first to call has a function remember, and whoever comes later finds it. So one run
of all callers shows who is affected by what the first left; its reverse shows the first
ones. Half by half it is found out whom they mind. Some callers are run after each
single one as well, as probes: who changes one of them need not mind anything itself.
After such a test, and after those affected, all others are run too: who depends on what
others have a function remember has most likely had it remember something else. A search
over ``run``, as in `confirming`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from ci_cache_isolation.evidence.conflicts import Conflict
from ci_cache_isolation.running.forks import Job, SectionMode
from ci_cache_isolation.running.limits import Runs
from ci_cache_isolation.running.outcomes import FAILED, PASSED

__all__ = ["Callers", "affected_by", "callers_of", "probes_of"]

_MANY_MINDERS = 8
_OF_ONE = 20
_PROBES = 4


@dataclass(slots=True)
class Callers:
    """What the runs came to: who is affected by whom, and how many stay unexplained."""

    suspects: dict[str, list[str]] = field(default_factory=dict)
    runs: int = 0
    unexplained: int = 0
    is_whole: bool = True
    """Whether there was time for all of it."""


def callers_of(conflicts: Sequence[Conflict], tests: Sequence[str]) -> list[str]:
    """Return all who call any of these functions, in the sequence of the tests."""
    found = {
        test
        for conflict in conflicts
        for actor in (
            *(each.actor for each in conflict.left_by),
            *(each.actor for each in conflict.seen_by),
        )
        for test in actor.tests
    }
    return [test for test in tests if test in found]


def probes_of(conflicts: Sequence[Conflict], callers: Sequence[str]) -> tuple[str, ...]:
    """Return a few callers that call as many of the functions as may be, each once."""
    calling: defaultdict[str, set[str]] = defaultdict(set)
    for conflict in conflicts:
        for test in callers_of([conflict], callers):
            calling[test].add(conflict.entry.key)
    probes: list[str] = []
    left: set[str] = set()
    # The last of several: at the beginning stand those that everybody's order favours.
    while len(probes) < min(_PROBES, len(calling)):
        left = left or {conflict.entry.key for conflict in conflicts}
        rest = [test for test in reversed(callers) if test not in probes]
        probe = max(rest, key=lambda test: len(calling[test] & left))
        left -= calling[probe] or left
        probes.append(probe)
    return tuple(probes)


def affected_by(
    callers: Sequence[str],
    probes: tuple[str, ...],
    run: Runs,
    is_over: Callable[[], bool] = lambda: False,
) -> Callers:
    """Find out who is affected by what which other caller has functions remember.

    Caches are isolated meanwhile: what leaks through them is found otherwise.
    """
    search = _Orders(run, is_over)
    alone, suspected = _first_alone(search, callers, probes)
    minders: dict[str, tuple[str, ...]] = {}
    for order, outcomes in search.run([tuple(callers), tuple(reversed(callers))]):
        for at, test in enumerate(order):
            if _is_changed(outcomes.get(test), alone.get(test)):
                minders.setdefault(test, order[:at])
    found: defaultdict[str, list[str]] = defaultdict(list)
    unexplained = 0
    for test, before in minders.items():
        known = dict.fromkeys(
            each for polluters in found.values() for each in polluters
        )
        polluter = search.one_of(test, tuple(known), alone[test]) or search.within(
            test, before, alone[test]
        )
        if polluter:
            found[test].append(polluter)
        else:
            unexplained += 1
    _behind(search, list(found)[:_MANY_MINDERS], callers, alone, found)
    polluters = {each for after in found.values() for each in after}
    unknown = [each for each in suspected if each not in polluters]
    _behind(search, unknown[:_MANY_MINDERS], callers, alone, found)
    return Callers(dict(found), search.runs, unexplained, not search.is_over)


def _first_alone(
    search: _Orders, callers: Sequence[str], probes: tuple[str, ...]
) -> tuple[dict[str, str], list[str]]:
    """Return all outcomes alone, and who changes a probe that is run after it."""
    usual: dict[str, str] = {}
    for _, outcomes in search.run([probes]):
        usual.update(outcomes)
    alone: dict[str, str] = {}
    suspected: dict[str, None] = {}
    orders = [(test, *(each for each in probes if each != test)) for test in callers]
    for (test, *after), outcomes in search.run(orders):
        if outcomes.get(test) in {PASSED, FAILED}:
            alone[test] = outcomes[test]
        if test in probes:
            # What one probe does to another is no business of the usual sequence.
            continue
        if any(_is_changed(outcomes.get(each), usual.get(each)) for each in after):
            suspected[test] = None
    return alone, [each for each in callers if each in suspected]


def _behind(
    search: _Orders,
    firsts: Sequence[str],
    callers: Sequence[str],
    alone: Mapping[str, str],
    found: defaultdict[str, list[str]],
) -> None:
    """Run all others after each of the first: they may mind what it does."""
    orders = [(first, *(each for each in callers if each != first)) for first in firsts]
    pairs: dict[tuple[str, ...], None] = {}
    for order, outcomes in search.run(orders):
        first, *others = order
        changed = [
            each
            for each in others
            if _is_changed(outcomes.get(each), alone.get(each))
            and first not in found.get(each, ())
        ]
        pairs.update(((first, each), None) for each in changed[:_OF_ONE])
    for (first, test), outcomes in search.run(list(pairs)):
        if _is_changed(outcomes.get(test), alone[test]):
            found[test].append(first)


def _is_changed(outcome: str | None, alone: str | None) -> bool:
    return {outcome, alone} == {PASSED, FAILED}


class _Orders:
    """Runs orders, in which functions go on remembering."""

    def __init__(self, run: Runs, is_over: Callable[[], bool]) -> None:
        self._run = run
        self._is_over = is_over
        self.is_over = False
        self.runs = 0

    def run(
        self, orders: Sequence[tuple[str, ...]]
    ) -> Iterator[tuple[tuple[str, ...], Mapping[str, str]]]:
        """Yield orders and the outcomes of all their tests, as they end."""
        jobs = (Job(order, SectionMode.REMEMBERING) for order in orders)
        for forked in self._run(takewhile(lambda _: self._goes_on(), jobs)):
            self.runs += 1
            yield forked.job.tests, forked.outcomes

    def one_of(self, test: str, known: Sequence[str], alone: str) -> str:
        """Return one of several that changes a test by itself, '' if none does."""
        orders = [(each, test) for each in known if each != test]
        changing = [
            order[0]
            for order, outcomes in self.run(orders[:_OF_ONE])
            if _is_changed(outcomes.get(test), alone)
        ]
        return next(iter(changing), "")

    def within(self, test: str, before: Sequence[str], alone: str) -> str:
        """Return one that changes a test by itself, going on with the half that does.

        '' where neither half changes it: that takes several of them together.
        """
        while len(before) > 1:
            middle = len(before) // 2
            for half in (before[:middle], before[middle:]):
                if self._changes(test, half, alone):
                    before = half
                    break
            else:
                return ""
        return before[0] if before and self._changes(test, before, alone) else ""

    def _changes(self, test: str, before: Sequence[str], alone: str) -> bool:
        return any(
            _is_changed(outcomes.get(test), alone)
            for _, outcomes in self.run([(*before, test)])
        )

    def _goes_on(self) -> bool:
        self.is_over = self.is_over or self._is_over()
        return not self.is_over
