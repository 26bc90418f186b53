"""Short runs on demand: counted, none asked for twice, many at a time.

A search over ``run``, which takes jobs and yields how they ended, in any sequence. It
knows nothing of processes. ``run`` is used by one at a time: an iterator is left before
the next is asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import takewhile

from ci_cache_isolation.judging.judged import Cost
from ci_cache_isolation.judging.proofs import TIMES, Proof
from ci_cache_isolation.running.jobs import End, Forked, Job, SectionMode
from ci_cache_isolation.running.limits import Runs
from ci_cache_isolation.running.outcomes import FAILED, PASSED

__all__ = ["Order", "Question", "Search"]

Order = tuple[str, ...]


class Search:
    """Runs orders and remembers what came of them.

    ``sections`` are those in which the failures were seen. When ``is_over`` says so no
    more is begun, and ``run`` ends what it has begun.
    """

    def __init__(
        self, run: Runs, sections: SectionMode, is_over: Callable[[], bool]
    ) -> None:
        self._run = run
        self._sections = sections
        self.is_over = is_over
        self._known: dict[Order, str | None] = {}
        self.messages: dict[Order, str] = {}
        self.cost = Cost(0, 0.0)

    def ended(
        self, orders: Iterable[Order]
    ) -> Generator[tuple[Order, str | None], None, None]:
        """Yield how the last test of each order ended, as they end."""
        asked = []
        for order in dict.fromkeys(orders):
            if order in self._known:
                yield order, self._known[order]
            else:
                asked.append(order)
        # Asked for one at a time: the time may be over meanwhile.
        jobs = takewhile(
            lambda _: not self.is_over(),
            (Job(order, self._sections) for order in asked),
        )
        with closing(self._forked(jobs)) as ended:
            for forked in ended:
                self._known[forked.job.tests] = forked.last
                yield forked.job.tests, forked.last

    def tallies(
        self, orders: Sequence[Order], times: int = TIMES
    ) -> dict[Order, Counter[str | None]]:
        """Return how often each order came to what, run afresh so many times."""
        tallies: dict[Order, Counter[str | None]] = {each: Counter() for each in orders}
        jobs = takewhile(
            lambda _: not self.is_over(),
            (Job(each, self._sections) for each in tallies for _ in range(times)),
        )
        for forked in self._forked(jobs):
            tallies[forked.job.tests][forked.last] += 1
        return tallies

    def proof(self, test: str, order: Order) -> Proof | None:
        """Run a test alone, at the end of an order, and so but isolated.

        None when time was over before all of it had ended.
        Where that makes no difference, once more with functions that remember nothing.
        """
        parts = [Job((test,), self._sections), Job(order, self._sections)]
        if self._sections is not SectionMode.ISOLATED:
            parts.append(Job(order, SectionMode.ISOLATED))
        if (failures := self._failures(parts)) is None:
            return None
        proof = Proof(*failures)
        if proof.is_steady and not proof.is_of_caches:
            if (failures := self._failures([Job(order, SectionMode.RESET)])) is None:
                return None
            return replace(proof, reset=failures[0])
        return proof

    def _failures(self, parts: Sequence[Job]) -> list[int] | None:
        """Return how often the last test of each part failed, out of `TIMES`."""
        failed, runs = dict.fromkeys(parts, 0), 0
        for forked in self._forked(part for part in parts for _ in range(TIMES)):
            failed[forked.job] += forked.last == FAILED
            runs += 1
        return list(failed.values()) if runs == len(parts) * TIMES else None

    def is_cured(self, proof: Proof) -> bool | None:
        """Return whether isolation makes the test pass; a brittle one fails alone."""
        if proof.alone or self._sections is SectionMode.ISOLATED:
            return False
        return None if proof.isolated is None else proof.isolated == 0

    def _forked(self, jobs: Iterable[Job]) -> Generator[Forked, None, None]:
        run = self._run(jobs)
        try:
            for forked in run:
                if forked.end is End.INTERRUPTED:
                    continue
                spent = self.cost.seconds + forked.seconds
                self.cost = Cost(self.cost.runs + 1, spent)
                if forked.message and forked.last == FAILED:
                    self.messages[forked.job.tests] = forked.message
                yield forked
        finally:
            if (close := getattr(run, "close", None)) is not None:
                close()


@dataclass(frozen=True, slots=True)
class Question:
    """Who, put right before a test, changes its outcome.

    ``unlike`` is the outcome to be changed, which the test has after ``given``.
    """

    search: Search
    test: str
    unlike: str
    given: Order = ()

    def order(self, group: Sequence[str]) -> Order:
        """Return the order that puts the question for a group."""
        return (*self.given, *group, self.test)

    def answers(
        self, groups: Iterable[Order]
    ) -> Generator[tuple[Order, bool], None, None]:
        """Yield each group with its answer, as they come; none when time is over."""
        asked = {self.order(group): group for group in groups}
        with closing(self.search.ended(asked)) as ended:
            for order, outcome in ended:
                yield asked[order], self.is_change(outcome)

    def is_change(self, outcome: str | None) -> bool:
        """Return whether an outcome is the other one."""
        return outcome in {PASSED, FAILED} and outcome != self.unlike

    def holds(self, group: Order) -> bool:
        """Ask about one group."""
        return any(answer for _, answer in self.answers([group]))

    def one_by_one(self, tests: Iterable[str]) -> list[str]:
        """Return those who do it alone, in their sequence."""
        single = [(test,) for test in dict.fromkeys(tests) if test != self.test]
        found = {group for group, answer in self.answers(single) if answer}
        return [test for (test,) in single if (test,) in found]
