"""Each test that failed is put to the test, until it is clear what is wrong.

First alone: what fails so, always, is broken, or brittle if it passed anywhere; what
fails so now and then is non-deterministic. What passes alone has met somebody: those
who were there in every failing order and in no passing one, then everybody who was
there, in pieces. If nobody is found the whole order decides: only a test that fails in
it every time depends on it.

Nobody is accused without a proof: five times alone, five times after the accused, and
each of them the same.

Tests that run at a time may get into each other's way, at a port, a file or a server's
database. So what seems to fail by chance is looked at once more with nothing running
beside it. What passes then, alone and in its order, has collided: it is not accused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from ci_cache_isolation.judging.completing import completed
from ci_cache_isolation.judging.depending import Beside, Dependence
from ci_cache_isolation.judging.history import History, Observed
from ci_cache_isolation.judging.judged import Cost, Judged, Judgement
from ci_cache_isolation.judging.proofs import TIMES, Proof
from ci_cache_isolation.judging.searching import Order, Question, Search
from ci_cache_isolation.judging.verdicts import Verdict
from ci_cache_isolation.running.jobs import SectionMode
from ci_cache_isolation.running.limits import Runs
from ci_cache_isolation.running.outcomes import FAILED, PASSED

__all__ = ["RULES", "judge"]

_COLLIDED = object()
_AT_ONCE = 4
"""So many tests are run alone at once, to keep processors at work."""
_MOST_CAUSES = 8
"""So many of what did it to other tests are asked about for the next."""


def judge(  # noqa: PLR0913
    observed: Iterable[Observed],
    tests: Sequence[str],
    run: Runs,
    *,
    run_alone: Runs | None = None,
    suspects: Mapping[str, Sequence[str]] = MappingProxyType({}),
    sections: SectionMode = SectionMode.SHARED,
    is_over: Callable[[], bool] = lambda: False,
    on_finding: Callable[[Judged], None] = lambda _: None,
    run_beside: Beside | None = None,
    settled: Mapping[str, Judged] = MappingProxyType({}),
) -> Judgement:
    """Judge every test that failed at least once.

    ``tests`` are those that ``run`` can run, in the suite's own order. ``suspects``
    names those whose traces a test is known to meet. ``sections`` are those in which
    the orders were observed: where they were isolated, isolation is no cure.

    ``run_alone`` runs one at a time, where ``run`` does not.

    ``on_finding`` hears of each finding as soon as it is proved, and again when all
    polluters and cleaners of it are known: the last word on a test counts.
    ``run_beside`` runs a test as often as `TIMES` while another process runs others,
    and returns how often it failed; without it nothing is called cross-process.

    ``settled`` are findings of an earlier run, which are completed if they are not yet.
    """
    history = History(observed)
    search = Search(run, sections, is_over)
    findings = dict(settled)

    def found(finding: Judged) -> None:
        findings[finding.test] = finding
        on_finding(finding)

    by_chance = []
    for finding in _findings(history, tests, search, suspects, run_beside, settled):
        if finding.verdict is Verdict.NON_DETERMINISTIC and run_alone is not None:
            # Not said before it was looked at in quiet.
            by_chance.append(finding.test)
        else:
            found(finding)
    cost, collided = search.cost, []
    if run_alone is not None:
        alone = Search(run_alone, sections, is_over)
        for test in by_chance:
            looked_at = _in_quiet(test, history, tests, alone)
            if looked_at is _COLLIDED:
                collided.append(test)
            elif isinstance(looked_at, Judged):
                found(looked_at)
        cost = Cost(cost.runs + alone.cost.runs, cost.seconds + alone.cost.seconds)
    return Judgement(
        tuple(findings.values()),
        tuple(
            test
            for test in history.tests
            if test not in findings and test not in collided
        ),
        cost,
        tuple(collided),
    )


def _in_quiet(
    test: str, history: History, tests: Sequence[str], search: Search
) -> Judged | object | None:
    """Return what is the matter with a test when nothing runs beside it.

    `_COLLIDED` where nothing is: it passes, alone and in the order in which it had
    failed. None when time was over before that was known.
    """
    cost, failing = search.cost, history.failing(test)
    tally = search.tallies([(test,)])[test,]
    if sum(tally.values()) < TIMES:
        return None
    finding = _found_alone(search, test, tally, history)
    is_decided = tally[PASSED] == TIMES or history.passing(test)
    if finding is None and is_decided and TIMES in {tally[FAILED], tally[PASSED]}:
        unlike = FAILED if tally[FAILED] else PASSED
        question = Question(search, test, unlike)
        dependence = _dependence(question, history, frozenset(tests))
        finding = dependence.judged((), None)
        if finding is None:
            return None
        # Workers of the user's own run beside each other in every run.
        is_ours = not any(each.neighbours for each in failing)
        again = finding.replayed
        if is_ours and unlike == PASSED and again is not None and not again.failed:
            return _COLLIDED
        if finding.after and not finding.is_complete:
            finding = completed(
                finding, question, dependence.changed, dependence.unchanged, tests
            )
    return finding and replace(finding, cost=search.cost.since(cost, 0))


def _dependence(
    question: Question, history: History, known: frozenset[str]
) -> Dependence:
    test, is_brittle = question.test, question.unlike == FAILED
    failing, passing = history.failing(test), history.passing(test)
    # Where it ran twice it may have failed for what it did itself.
    once = [each for each in failing if each.order.count(test) == 1]
    return Dependence(
        question,
        passing if is_brittle else once or failing,
        failing if is_brittle else passing,
        known,
        fails_twice=not is_brittle and len(once) < len(failing),
    )


def _findings(  # noqa: PLR0913,PLR0917
    history: History,
    tests: Sequence[str],
    search: Search,
    suspects: Mapping[str, Sequence[str]],
    run_beside: Beside | None,
    settled: Mapping[str, Judged],
) -> Iterator[Judged]:
    """Yield findings as they are proved, then the same ones completed.

    The cheapest first, each of them to its proof, and all before any is completed.
    """
    known = frozenset(tests)
    failed = [test for test in history.tests if test in known and test not in settled]
    failed.sort(key=lambda test: len(history.failing(test)[0].before(test)))
    # Who did it to one test often does it to the next.
    causes: dict[str, Counter[Order]] = {PASSED: Counter(), FAILED: Counter()}
    open_findings = []
    for finding in settled.values():
        unlike = FAILED if finding.verdict is Verdict.BRITTLE else PASSED
        causes[unlike].update(finding.after)
        question = Question(search, finding.test, unlike)
        open_findings.append((_dependence(question, history, known), finding))
    for at in range(0, len(failed), _AT_ONCE):
        some = failed[at : at + _AT_ONCE]
        alone = search.tallies([(test,) for test in some])
        for test in some:
            tally, cost = alone[test,], search.cost
            if found := _found_alone(search, test, tally, history):
                yield replace(found, cost=search.cost.since(cost, TIMES))
            if tally[PASSED] != TIMES and tally[FAILED] != TIMES:
                continue
            unlike = FAILED if tally[FAILED] == TIMES else PASSED
            if unlike == FAILED and not history.passing(test):
                continue
            dependence = _dependence(Question(search, test, unlike), history, known)
            first = [(each,) for each in suspects.get(test, ()) if each != test]
            groups = [
                group
                for group, _ in causes[unlike].most_common()
                if test not in group and dependence.can_be_by(group)
            ][:_MOST_CAUSES]
            likely = dict.fromkeys([*groups, *first])
            if found := dependence.judged(likely, run_beside):
                causes[unlike].update(found.after)
                finding = replace(found, cost=search.cost.since(cost, TIMES))
                open_findings.append((dependence, finding))
                yield finding
    for each, finding in open_findings:
        if finding.after and not finding.is_complete and not search.is_over():
            cost = search.cost
            whole = completed(
                finding, each.question, each.changed, each.unchanged, tests
            )
            spent = search.cost.since(cost, finding.cost.runs)
            yield replace(
                whole,
                cost=replace(spent, seconds=spent.seconds + finding.cost.seconds),
            )


def _found_alone(
    search: Search, test: str, tally: Counter[str | None], history: History
) -> Judged | None:
    """Return what a test's runs alone say of it, None if others may do it."""
    found = (rule(search, test, tally, history) for rule in RULES)
    return next(filter(None, found), None)


def _broken_or_by_chance(
    search: Search, test: str, tally: Counter[str | None], history: History
) -> Judged | None:
    if tally[FAILED] and tally[PASSED]:
        return _judged_alone(search, test, tally[FAILED])
    if tally[FAILED] == TIMES and not history.passing(test):
        # One in 32 of those that fail every other time comes here too.
        again = search.tallies([(test,)])[test,]
        if sum(again.values()) == TIMES:
            return _judged_alone(search, test, again[FAILED])
    return None


Rule = Callable[[Search, str, "Counter[str | None]", History], Judged | None]
RULES: list[Rule] = [_broken_or_by_chance]
"""What judges a test by its runs alone, the first that knows, before its orders do.

Each is given how the test ended, `TIMES` times alone, may have it run again, and
returns None where it has nothing to say.
"""


def _judged_alone(search: Search, test: str, failed: int) -> Judged:
    return Judged(
        test,
        Verdict.BROKEN if failed == TIMES else Verdict.NON_DETERMINISTIC,
        Proof(failed),
        (test,),
        message=search.messages.get((test,), ""),
        cost=Cost(TIMES, 0.0),
    )
