"""Suspicions put to the test, on suites that are made up."""

import itertools

import pytest

from ci_cache_isolation.judging.proofs import TIMES, Proof
from ci_cache_isolation.judging.suspicions import confirm, quickest_first
from ci_cache_isolation.judging.verdicts import Verdict
from ci_cache_isolation.running.forks import End, Forked, Job, SectionMode
from ci_cache_isolation.running.outcomes import FAILED, PASSED, SKIPPED


class Suite:
    """Tests as functions of those that ran before; jobs end in the reverse sequence."""

    def __init__(self, **tests):
        self.tests = tests
        self.jobs = []

    def run(self, jobs):
        for job in reversed(list(jobs)):
            self.jobs.append(job)
            before = () if job.sections is SectionMode.ISOLATED else job.tests[:-1]
            outcome = self.tests.get(job.tests[-1], lambda _: PASSED)(before)
            outcomes = {job.tests[-1]: outcome}
            yield Forked(job, End.FINISHED, outcomes, 0.01, "why")


def failing_after(*groups):
    return lambda before: (
        FAILED if any(set(group) <= set(before) for group in groups) else PASSED
    )


def passing_after(*groups):
    return lambda before: (
        PASSED if any(set(group) <= set(before) for group in groups) else FAILED
    )


def test_a_victim_is_confirmed_with_all_its_polluters_and_nobody_else():
    suite = Suite(victim=failing_after(["a"], ["c"]))
    [found] = confirm({"victim": ["a", "b", "c"]}, suite.run).confirmed
    assert found.verdict is Verdict.VICTIM
    assert found.after == (("a",), ("c",))
    assert found.proof == Proof(alone=0, after=TIMES, isolated=0)
    assert found.message == "why"


def test_a_harmless_conflict_is_not_confirmed():
    found = confirm({"victim": ["a"]}, Suite().run)
    assert (found.confirmed, found.runs, found.untested) == ([], 2, [])


def test_many_that_are_harmless_together_are_not_tried_one_by_one():
    many = [f"t{number}" for number in range(50)]
    suite = Suite(victim=failing_after(["t7"]))
    found = confirm({"victim": many, "harmless": many}, suite.run)
    assert [(each.test, each.after) for each in found.confirmed] == [
        ("victim", (("t7",),))
    ]
    assert sum(job.tests[-1] == "harmless" for job in suite.jobs) == 3


def test_when_the_time_is_over_what_is_left_is_counted():
    suite = Suite(victim=failing_after(["a"]))
    suspects = {"victim": ["a"], "other": ["a"]}
    found = confirm(suspects, lambda jobs: suite.run(itertools.islice(jobs, 1)))
    assert (found.confirmed, found.untested) == ([], ["victim", "other"])


def test_with_little_time_one_is_proved_before_the_next_is_begun():
    suspects = {f"victim{number}": ["a", "b"] for number in range(9)}
    suite = Suite(**dict.fromkeys(suspects, failing_after(["b"])))
    runs = iter(range(25))

    def run(jobs):
        return suite.run(job for job, _ in zip(jobs, runs, strict=False))

    told = []
    found = confirm(suspects, run, 1, told.append)
    assert [each.test for each in told] == ["victim0"]
    assert found.confirmed == told
    assert found.tested == {"victim0": {"a", "b"}}
    assert found.untested == [f"victim{number}" for number in range(1, 9)]


def test_a_process_that_dies_is_no_end_of_the_time():
    def run(jobs):
        for job in jobs:
            outcomes = {job.tests[0]: FAILED} if len(job.tests) > 1 else {}
            yield Forked(job, End.DIED, outcomes, 0.01, "killed")

    found = confirm({"victim": ["a"], "other": ["a"]}, run)
    assert (found.untested, found.runs) == ([], 4)


def test_one_of_each_cause_comes_first_and_of_these_the_quickest():
    suspects = {"slow": ["a"], "same": ["a"], "many": list("abcde"), "quick": ["a"]}
    seconds = {"slow": 2.0, "same": 0.2, "many": 0.1, "quick": 0.1, "a": 0.1}
    causes = {"slow": 1, "same": 2, "many": 3, "quick": 2}
    found = quickest_first(suspects, seconds, causes.get)
    assert list(found) == ["quick", "many", "slow", "same"]


def test_a_brittle_test_is_confirmed_with_its_state_setter():
    suite = Suite(brittle=passing_after(["setter"]))
    [found] = confirm({"brittle": ["setter", "other"]}, suite.run).confirmed
    assert found.verdict is Verdict.BRITTLE
    assert found.after == (("setter",),)
    assert found.proof == Proof(alone=TIMES, after=0, isolated=TIMES)


@pytest.mark.parametrize("needed", [*itertools.combinations("abcdefg", 2)])
def test_two_that_are_needed_together_are_found_among_many(needed):
    suite = Suite(victim=failing_after(needed))
    [found] = confirm({"victim": list("abcdefg")}, suite.run).confirmed
    assert found.after == (needed,)


def test_a_test_that_fails_now_and_then_is_not_called_a_victim():
    outcomes = itertools.cycle([PASSED, FAILED])
    suite = Suite(flaky=lambda _: next(outcomes))
    found = confirm({"flaky": ["a"]}, suite.run).confirmed
    assert all(each.verdict is Verdict.NON_DETERMINISTIC for each in found)


def test_what_is_steady_only_with_nothing_beside_it_is_confirmed():
    outcomes = itertools.cycle([FAILED, FAILED, PASSED])
    beside = Suite(victim=lambda before: next(outcomes) if before else PASSED)
    alone = Suite(victim=failing_after(["a"]))
    [found] = confirm({"victim": ["a"]}, beside.run, run_alone=alone.run).confirmed
    assert (found.verdict, found.proof) == (Verdict.VICTIM, Proof(0, TIMES, 0))


def test_a_test_that_is_skipped_alone_is_left_out():
    found = confirm({"skipped": ["a"]}, Suite(skipped=lambda _: SKIPPED).run)
    assert (found.confirmed, found.untested) == ([], [])


def test_victims_share_the_runs_of_their_own_only():
    suite = Suite(one=failing_after(["a"]), two=failing_after(["b"]))
    found = confirm({"one": ["a", "b"], "two": ["a", "b"]}, suite.run)
    assert [(each.test, each.after) for each in found.confirmed] == [
        ("one", (("a",),)),
        ("two", (("b",),)),
    ]
    assert Job(("b", "one")) in suite.jobs
