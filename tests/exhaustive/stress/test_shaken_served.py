"""The project of unsteady tests in forks, as the system tests have it, under pytest."""

import pytest

from tests.system.stress.test_shaken import (
    serving,
    test_each_leak_shows_in_a_fork_and_isolation_cures_what_it_should,
    test_only_tests_that_exist_are_named_and_most_are_stable,
    test_the_outcome_of_whole_orders_is_foretold,
    test_what_fails_by_chance_does_so_whatever_ran_before,
    test_who_pollutes_itself_fails_the_second_time,
)

__all__ = [
    "test_each_leak_shows_in_a_fork_and_isolation_cures_what_it_should",
    "test_only_tests_that_exist_are_named_and_most_are_stable",
    "test_the_outcome_of_whole_orders_is_foretold",
    "test_what_fails_by_chance_does_so_whatever_ran_before",
    "test_who_pollutes_itself_fails_the_second_time",
]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with serving("pytest", tmp_path_factory.mktemp("pytest")) as served:
        yield served
