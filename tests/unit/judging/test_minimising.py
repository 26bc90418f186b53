"""The search for the few among many, on suites that are made up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_cache_isolation.judging.minimising import (
    all_changing,
    first_changing,
    needed_together,
)
from ci_cache_isolation.judging.searching import Question, Search
from ci_cache_isolation.running.jobs import SectionMode
from ci_cache_isolation.running.outcomes import PASSED
from tests.worlds import World

MANY = [f"t{number}" for number in range(300)]


def question_about(world, is_over=lambda: False):
    search = Search(world.run, SectionMode.SHARED, is_over)
    return Question(search, "victim", PASSED)


@given(st.sets(st.integers(0, 11), min_size=1, max_size=4))
def test_a_smallest_group_is_found_wherever_it_stands(places):
    tests = MANY[:12]
    group = tuple(tests[place] for place in sorted(places))
    world = World([*tests, "victim"], victims={"victim": [group]})
    assert needed_together(question_about(world), tests) == group


@given(st.lists(st.sets(st.integers(0, 99), min_size=1, max_size=3), min_size=1))
def test_of_several_groups_one_is_found_and_nothing_of_it_can_go(all_places):
    tests = MANY[:100]
    groups = [tuple(tests[place] for place in sorted(each)) for each in all_places]
    world = World([*tests, "victim"], victims={"victim": groups})
    found = needed_together(question_about(world), tests)
    assert found in groups
    assert not any(set(group) < set(found) for group in groups)


def test_a_cleaner_in_the_order_is_left_where_it_stood():
    # Behind the polluter it would hide it; nobody is moved, so it does not.
    tests = ["a", "cleaner", "b", "polluter", "c"]
    world = World(
        tests, victims={"victim": [("polluter",)]}, cleaners={"victim": {"cleaner"}}
    )
    assert needed_together(question_about(world), tests) == ("polluter",)
    assert all(
        list(job.tests[:-1]) == [each for each in tests if each in job.tests[:-1]]
        for job in world.jobs
    )


def test_nobody_is_found_where_nobody_does_it():
    world = World(MANY)
    question = question_about(world)
    assert needed_together(question, MANY) == ()
    assert first_changing(question, MANY) == []
    assert all_changing(question, MANY) == []
    assert needed_together(question, []) == ()


@pytest.mark.parametrize("limit", range(0, 40, 3))
def test_when_the_time_is_over_nothing_is_guessed(limit):
    world = World(MANY, victims={"victim": [("t7", "t200")]})
    question = question_about(world, lambda: len(world.jobs) >= limit)
    assert needed_together(question, MANY) in {(), ("t7", "t200")}
    # One more may be running already.
    assert len(world.jobs) <= limit + 1


def test_the_nearest_polluter_is_found_first_and_then_the_search_ends():
    world = World(MANY, victims={"victim": [("t7",), ("t295",)]})
    assert first_changing(question_about(world), MANY) == [("t295",)]
    assert len(world.jobs) < 25


def test_all_polluters_are_found_in_one_pass():
    groups = [("t7",), ("t9",), ("t100",), ("t295",), ("t140", "t141")]
    world = World(MANY, victims={"victim": groups})
    assert all_changing(question_about(world), MANY) == groups
    assert world.seconds < 4 * 300 * 0.0033
    world = World(MANY, victims={"victim": groups[:4]})
    assert all_changing(question_about(world), MANY, both_ways=True) == groups[:4]


def test_both_ways_a_cleaner_beside_them_hides_nobody():
    world = World(
        MANY,
        victims={"victim": [("t8",), ("t100",), ("t299",)]},
        cleaners={"victim": {"t9", "t99", "t298"}},
    )
    question = question_about(world)
    assert all_changing(question, MANY) == [("t100",), ("t299",)]
    found = all_changing(question, MANY, both_ways=True)
    assert found == [("t8",), ("t100",), ("t299",)]


def test_no_order_is_run_twice():
    world = World(MANY, victims={"victim": [("t3", "t4", "t250")]})
    needed_together(question_about(world), MANY)
    assert len({job.tests for job in world.jobs}) == len(world.jobs)
