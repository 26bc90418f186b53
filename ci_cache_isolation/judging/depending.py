"""Whether a test depends on those before it, and on whom, or on nothing at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ci_cache_isolation.judging.chance import Decision, Sequential
from ci_cache_isolation.judging.history import Observed, suspected
from ci_cache_isolation.judging.judged import Judged, Replayed
from ci_cache_isolation.judging.minimising import first_changing, needed_together
from ci_cache_isolation.judging.proofs import TIMES, Proof
from ci_cache_isolation.judging.searching import Order, Question
from ci_cache_isolation.judging.verdicts import Verdict
from ci_cache_isolation.running.outcomes import FAILED, PASSED

__all__ = ["Beside", "Dependence"]

_REPLAYS = 3
"""So often an order has to show it, each time."""
_MOST_SUSPECTS = 8
_MOST_PROOFS = 3
_BESIDE_AT_LEAST = 3
"""Two processes seldom meet every time; a rare failure does not come three times."""

Beside = Callable[[str, Sequence[str]], int]


@dataclass(frozen=True, slots=True)
class Dependence:
    """One test that came, in some orders, to another outcome than it does alone.

    ``changed`` are these orders and ``unchanged`` the others, ``known`` the tests that
    can be run. Where it ran twice and failed it may pollute itself: such orders are
    among the changed ones only if there are no others, ``fails_twice`` tells of them.
    """

    question: Question
    changed: Sequence[Observed]
    unchanged: Sequence[Observed]
    known: frozenset[str]
    fails_twice: bool = False

    def judged(
        self, suspects: Iterable[Order], run_beside: Beside | None
    ) -> Judged | None:
        """Say what is the matter; None when the time was over before it was known.

        ``suspects`` are asked about first.
        """
        question, test = self.question, self.question.test
        if not self.changed:
            return None
        only_twice = all(each.order.count(test) > 1 for each in self.changed)
        if self.fails_twice and only_twice and (found := self._self_polluting()):
            return found
        seen = self._runnable(self.changed[0].before(test))
        history = self._runnable(suspected(test, self.changed, self.unchanged))
        quick = [group for group in suspects if self._runnable(group) == group]
        likely = [group for group in quick if set(history).issuperset(group)]
        if len(history) <= _MOST_SUSPECTS:
            quick += [(each,) for each in history]
        # First what has done it to others and stood in all orders that show it here.
        for groups in filter(None, (likely, quick)):
            if found := self._first(groups):
                return found
        if len(history) > _MOST_SUSPECTS and (
            found := self._proved(first_changing(question, history))
        ):
            return found
        if self.fails_twice and not only_twice and (found := self._self_polluting()):
            return found
        return self._judged_by(seen, history, run_beside)

    def _first(self, groups: Sequence[Order]) -> Judged | None:
        """Return the first of the groups that does it and is proved."""
        question = self.question
        doing = [group for group, answer in question.answers(groups) if answer]
        # What took two for another test may take one of them for this one.
        doing = [
            group if len(group) == 1 else needed_together(question, group)
            for group in sorted(doing, key=groups.index)
        ]
        return self._proved(list(filter(None, doing)))

    def can_be_by(self, group: Order) -> bool:
        """Return whether tests stood before it in one of the orders that show it."""
        test = self.question.test
        return any(set(group) <= set(each.before(test)) for each in self.changed)

    def _judged_by(
        self, seen: Order, history: Order, run_beside: Beside | None
    ) -> Judged | None:
        """Judge by what a whole order comes to when it is run again."""
        question = self.question
        whole = question.order(seen)
        tally = question.search.tallies([whole], _REPLAYS)[whole]
        changed = sum(tally[each] for each in tally if question.is_change(each))
        if sum(tally.values()) < _REPLAYS:
            return None
        if changed < _REPLAYS or not seen:
            found = self._beside(run_beside) if not changed else None
            return found or self._non_deterministic(whole, changed)
        passed_by = set(history)
        rest = tuple(test for test in dict.fromkeys(seen) if test not in passed_by)
        if found := self._proved(first_changing(question, rest)):
            return found
        start = history if history and question.holds(history) else seen
        group = needed_together(question, start)
        if group and (found := self._proved([group])):
            return found
        return self._in_whole(whole)

    def _in_whole(self, whole: Order) -> Judged | None:
        """Say that it depends on an order, of which nothing could be left out."""
        question = self.question
        is_victim = question.unlike == PASSED
        alone = question.search.tallies([(question.test,)])[question.test,]
        again = question.search.tallies([whole], TIMES - _REPLAYS)[whole]
        if sum(again.values()) < TIMES - _REPLAYS:
            return None
        proof = Proof(
            alone=alone[FAILED],
            after=again[FAILED] + (_REPLAYS if is_victim else 0),
        )
        if not proof.is_steady:
            return self._non_deterministic(whole, _REPLAYS)
        return Judged(
            question.test,
            Verdict.VICTIM if is_victim else Verdict.BRITTLE,
            proof,
            whole,
            message=self._message(whole),
            is_complete=False,
        )

    def _proved(self, groups: Sequence[Order]) -> Judged | None:
        """Return the first of the groups that is proved, or that it is mere chance."""
        question = self.question
        is_victim = question.unlike == PASSED
        for group in groups[:_MOST_PROOFS]:
            order = question.order(group)
            proof = question.search.proof(question.test, order)
            if proof is None:
                return None
            if proof.alone != (0 if is_victim else TIMES):
                return Judged(
                    question.test,
                    Verdict.NON_DETERMINISTIC,
                    Proof(proof.alone),
                    (question.test,),
                    message=self._message((question.test,)),
                )
            if proof.is_steady:
                verdict = Verdict.VICTIM if is_victim else Verdict.BRITTLE
                if set(group) == {question.test}:
                    verdict = Verdict.SELF_POLLUTING
                failing = order if is_victim else (question.test,)
                return Judged(
                    question.test,
                    verdict,
                    proof,
                    order,
                    (group,),
                    isolation_cures=question.search.is_cured(proof),
                    message=self._message(failing),
                    is_complete=verdict is Verdict.SELF_POLLUTING,
                )
        return None

    def _self_polluting(self) -> Judged | None:
        itself = (self.question.test,)
        return self._proved([itself]) if self.question.holds(itself) else None

    def _non_deterministic(self, whole: Order, changed: int) -> Judged | None:
        """Run the order again until it is clear how it does there.

        Where it passes six times the failure was a rare one; where it fails again the
        order alone does not decide. It is nobody's fault in both cases.
        """
        question, runs = self.question, _REPLAYS
        test = Sequential(failed=changed, passed=runs - changed)
        while test.decision is Decision.OPEN:
            tally = question.search.tallies([whole], _REPLAYS)[whole]
            if sum(tally.values()) < _REPLAYS:
                return None
            again = sum(tally[each] for each in tally if question.is_change(each))
            runs += sum(tally.values())
            changed += again
            test = test.after(failed=again, passed=sum(tally.values()) - again)
        is_victim = question.unlike == PASSED
        return Judged(
            question.test,
            Verdict.NON_DETERMINISTIC,
            Proof(alone=0 if is_victim else TIMES),
            whole,
            replayed=Replayed(changed if is_victim else runs - changed, runs),
            message=self._message(whole),
        )

    def _beside(self, run_beside: Beside | None) -> Judged | None:
        """Let it run while another process runs those that ran beside it."""
        test = self.question.test
        is_beside = all(each.neighbours for each in self.changed)
        if run_beside is None or not is_beside or self.question.unlike == FAILED:
            return None
        failed = run_beside(test, self._runnable(self.changed[0].neighbours))
        if failed < _BESIDE_AT_LEAST:
            return None
        alone = self.question.search.tallies([(test,)])[test,]
        if alone[FAILED]:
            return None
        return Judged(
            test,
            Verdict.CROSS_PROCESS,
            Proof(alone=0, after=failed),
            (test,),
            is_complete=False,
        )

    def _runnable(self, tests: Iterable[str]) -> Order:
        return tuple(test for test in tests if test in self.known)

    def _message(self, order: Order) -> str:
        return self.question.search.messages.get(order, "")
