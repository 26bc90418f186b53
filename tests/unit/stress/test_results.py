from dataclasses import replace

from ci_cache_isolation.stress.plan import Kind, Step
from ci_cache_isolation.stress.results import Cache, End, Run, failing, in_sequence

TESTS = {"a", "b"}


def run(index, *, passed=(), failed=(), end=End.FINISHED):
    return Run(
        step=Step(index, Kind.RANDOM, index),
        cache=Cache.ISOLATED,
        end=end,
        seconds=1.0,
        passed=frozenset(passed),
        failed=tuple(failed),
    )


def test_a_test_that_failed_here_and_passed_there_is_flaky():
    first, second = run(0, passed="ab"), run(1, passed="a", failed="b")
    [found] = failing([first, second], TESTS)
    assert (found.test, found.failed_in, found.passed_in) == ("b", (second,), (first,))
    assert found.is_flaky


def test_a_test_that_failed_in_every_run_is_not_flaky():
    [found] = failing([run(0, passed="a", failed="b")] * 2, TESTS)
    assert not found.is_flaky


def test_a_run_that_did_not_reach_a_test_says_nothing_of_it():
    [found] = failing([run(0, failed="b"), run(1, passed="a", end=End.DIED)], TESTS)
    assert not found.is_flaky


def test_failed_set_up_is_flaky_where_another_run_finished_without():
    name = "setUpClass (shop.Test)"
    [found] = failing([run(0, failed=[name]), run(1, passed="ab")], TESTS)
    assert found.is_flaky
    [found] = failing([run(0, failed=[name]), run(1, end=End.TIMED_OUT)], TESTS)
    assert not found.is_flaky


def test_flaky_tests_come_first():
    found = failing([run(0, failed="ab"), run(1, passed="b", failed="a")], TESTS)
    assert [each.test for each in found] == ["b", "a"]


def split_run(index):
    return replace(run(0), step=Step(index, Kind.SPLIT, processes=2))


def test_runs_are_in_the_plans_sequence():
    ordered = in_sequence([run(2), run(0), split_run(3), run(1)])
    assert [each.step.index for each in ordered] == [0, 1, 2, 3]
    # A shard's.
    ordered = in_sequence([run(5), run(0), split_run(9)])
    assert [each.step.index for each in ordered] == [0, 5, 9]
    assert in_sequence([]) == []


def test_a_split_run_stays_last_where_the_plan_was_made_longer():
    ordered = in_sequence([run(0), run(1), split_run(2), run(2), run(3)])
    assert [each.step.index for each in ordered] == [0, 1, 2, 3, 4]
    assert ordered[-1].step.kind is Kind.SPLIT
