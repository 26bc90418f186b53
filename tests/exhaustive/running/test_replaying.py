"""One command for a finding, as the system tests have it, under pytest."""

import pytest

from tests.system.running.test_replaying import (
    replaying_by,
    test_a_command_isolates_where_the_shell_says_off,
    test_nothing_is_begun_when_the_time_is_over,
    test_the_users_own_command_is_enough_where_it_shows_the_failure,
    test_what_does_not_fail_again_gets_no_command,
    test_what_the_own_command_can_not_show_is_a_file_to_replay,
)

__all__ = [
    "test_a_command_isolates_where_the_shell_says_off",
    "test_nothing_is_begun_when_the_time_is_over",
    "test_the_users_own_command_is_enough_where_it_shows_the_failure",
    "test_what_does_not_fail_again_gets_no_command",
    "test_what_the_own_command_can_not_show_is_a_file_to_replay",
]


@pytest.fixture
def replaying(tmp_path, monkeypatch):
    return replaying_by("pytest", tmp_path, monkeypatch)
