"""Tests that fail only beside other orders: seen at once where there are many."""

from dataclasses import replace

import pytest

from ci_cache_isolation.running.jobs import End, Forked, SectionMode
from ci_cache_isolation.running.order_file import Cache
from ci_cache_isolation.running.outcomes import FAILED, PASSED
from ci_cache_isolation.stress.colliding import many_collided, remarks, run_again
from ci_cache_isolation.stress.plan import Kind, Shard, Step
from ci_cache_isolation.stress.results import Run, StressResult

TESTS = tuple("abcdefgh")


def seen(index, failed, **more):
    return Run(
        Step(index, Kind.RANDOM, 0),
        Cache.ISOLATED,
        End.FINISHED,
        1.0,
        order=TESTS,
        failed=tuple(failed),
        **more,
    )


def stressed(*runs):
    result = StressResult("django", Cache.ISOLATED, 0, Shard(1, 1))
    result.runs = list(runs)
    return result


def quiet(failed, asked, end=End.FINISHED):
    """Return what runs jobs, of which some tests fail with nothing beside them."""

    def run(jobs):
        for job in jobs:
            asked.append(job.tests)
            outcomes = {test: FAILED if test in failed else PASSED for test in TESTS}
            yield Forked(job, end, outcomes, 1.0, "")

    return run


def many(result, failed, *, end=End.FINISHED):
    asked = []
    found = many_collided(result, quiet(failed, asked, end), SectionMode.ISOLATED)
    return list(found), len(asked)


def test_the_order_in_which_most_failed_is_run_once_more():
    result = stressed(seen(1, "abg"), seen(2, "abcdefg"), seen(3, "abcdef"))
    assert many(result, "g") == (list("abgcdef"), 1)


@pytest.mark.parametrize(
    ("failed", "failing_again", "asked"),
    [
        # A few may fail by chance.
        ("abcd", "", 0),
        # Most fail because of their order.
        ("abcdefgh", "abcdef", 1),
        ("abcde", "a", 1),
    ],
)
def test_few_say_nothing(failed, failing_again, asked):
    assert many(stressed(seen(1, failed)), failing_again) == ([], asked)


def test_an_order_that_does_not_end_says_nothing():
    result = stressed(seen(1, TESTS))
    assert many(result, "", end=End.INTERRUPTED) == ([], 1)


def test_without_an_order_in_one_process_nothing_is_run():
    assert many(stressed(), "") == ([], 0)


def test_those_that_fail_in_a_split_run_too_are_counted():
    split = seen(2, "ah", workers=(("a", "b"), ("h",)))
    result = stressed(seen(1, ""), replace(split, order=()))
    result.collided = dict.fromkeys("ab")
    [remark] = remarks(result, 2)
    assert remark.startswith("2 tests failed while other orders ran beside, and never ")
    assert remark.endswith(
        "--processes 1 runs one order at a time. 1 of them failed in a split run too, "
        "so they do with workers of your own (--parallel, -n): give each worker what "
        "they collide at."
    )


def test_what_fails_again_with_nothing_beside_has_not_collided():
    result = stressed(seen(1, "abcdef"), seen(2, "h"))
    result.collided = dict.fromkeys("abcde")
    run = quiet("af", [])
    [again] = run_again(result, run, SectionMode.ISOLATED, are_proved=False)
    assert again is result.runs[0]
    assert (again.failed, [*result.collided]) == (("a", "f"), list("bcde"))


@pytest.mark.parametrize(("are_proved", "collided"), [(False, ""), (True, "ab")])
def test_what_there_was_no_time_to_run_again_is_not_excused(are_proved, collided):
    result = stressed(seen(1, "ab"))
    result.collided = dict.fromkeys("ab")
    run = quiet("", [], End.INTERRUPTED)
    again = run_again(result, run, SectionMode.ISOLATED, are_proved=are_proved)
    assert (list(again), [*result.collided]) == ([], list(collided))
