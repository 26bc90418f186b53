"""Databases that outlive a process, where runner and database are the other pair."""

import pytest

from tests.system.running.test_fork_databases import (
    lasting_on,
    test_a_clone_is_only_made_anew_when_it_was_changed,
    test_a_fork_that_dies_in_a_transaction_spoils_no_other,
    test_a_server_that_was_killed_leaves_nothing_in_the_way,
    test_clones_are_dropped_when_the_client_is_interrupted,
    test_forks_at_once_have_a_database_each,
    test_live_servers_and_async_tests_work_in_a_clone,
    test_rows_that_are_left_are_told_and_put_back,
    test_tables_of_caches_are_a_fork_s_own,
    test_what_was_committed_is_not_there_for_the_next_fork,
)

__all__ = [
    "test_a_clone_is_only_made_anew_when_it_was_changed",
    "test_a_fork_that_dies_in_a_transaction_spoils_no_other",
    "test_a_server_that_was_killed_leaves_nothing_in_the_way",
    "test_clones_are_dropped_when_the_client_is_interrupted",
    "test_forks_at_once_have_a_database_each",
    "test_live_servers_and_async_tests_work_in_a_clone",
    "test_rows_that_are_left_are_told_and_put_back",
    "test_tables_of_caches_are_a_fork_s_own",
    "test_what_was_committed_is_not_there_for_the_next_fork",
]


@pytest.fixture(
    params=[
        ("file", "django"),
        ("postgres", "pytest"),
        ("mariadb", "django"),
        ("mariadb", "pytest"),
    ],
    ids="-".join,
)
def lasting(request, tmp_path, nothing_of_this_run):
    yield from lasting_on(*request.param, request, tmp_path)
