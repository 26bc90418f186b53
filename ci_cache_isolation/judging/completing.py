"""All the others that do it too, and those who hide it: when one cause is proved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ci_cache_isolation.judging.history import Observed, between
from ci_cache_isolation.judging.judged import Judged
from ci_cache_isolation.judging.minimising import all_changing, needed_together
from ci_cache_isolation.judging.searching import Order, Question
from ci_cache_isolation.judging.verdicts import Verdict
from ci_cache_isolation.running.outcomes import FAILED

__all__ = ["completed"]

_SMALL = 400
"""In suites up to this size every other test is asked about."""
_MORE_GROUPS = 5
_MOST_CLEANERS = 10
_AGAIN = 2


def completed(
    finding: Judged,
    question: Question,
    changed: Sequence[Observed],
    unchanged: Sequence[Observed],
    tests: Sequence[str],
) -> Judged:
    """Return a finding with all polluters or state-setters, and cleaners.

    In a small suite everybody is asked about, in a large one those who stood before the
    test where its outcome was the other one. Then these are left out, and as long as
    the order still shows it there is another group.
    """
    known = set(tests)
    seen = tuple(test for test in changed[0].before(finding.test) if test in known)
    is_small = len(tests) <= _SMALL
    asked = tuple(dict.fromkeys(tests if is_small else seen))
    groups = dict.fromkeys(finding.after)
    others = [
        group
        for group in all_changing(question, asked, both_ways=is_small)
        if not any(set(proved) <= set(group) for proved in finding.after)
    ]
    groups |= dict.fromkeys(_steady(question, others))
    groups |= dict.fromkeys(_left_over(question, seen, groups))
    after = tuple(groups)
    cleaners: Order = ()
    if finding.verdict is Verdict.VICTIM:
        polluters = {test for group in after for test in group}
        candidates = between(finding.test, polluters, changed, unchanged)
        cleaning = replace(question, unlike=FAILED, given=after[0])
        found = all_changing(
            cleaning, [test for test in candidates if test in known], both_ways=is_small
        )
        single = [group for group in found if len(group) == 1][:_MOST_CLEANERS]
        cleaners = tuple(test for (test,) in _steady(cleaning, single))
    return replace(
        finding,
        after=after,
        cleaners=cleaners,
        is_complete=not question.search.is_over(),
    )


def _left_over(
    question: Question, seen: Order, groups: Iterable[Order]
) -> Iterable[Order]:
    """Yield groups that do it when those that are known are left out of an order."""
    out = {group[-1] for group in groups}
    for _ in range(_MORE_GROUPS):
        rest = tuple(test for test in seen if test not in out)
        if not rest or not question.holds(rest):
            return
        group = needed_together(question, rest)
        if not group or not _steady(question, [group]):
            return
        yield group
        # Its last one alone may not be in all the other groups.
        out.add(group[-1])


def _steady(question: Question, groups: Sequence[Order]) -> list[Order]:
    """Return those groups that change the outcome every time."""
    orders = {question.order(group): group for group in groups}
    tallies = question.search.tallies(list(orders), _AGAIN)
    return [
        orders[order]
        for order, tally in tallies.items()
        if sum(tally[each] for each in tally if question.is_change(each)) == _AGAIN
    ]
