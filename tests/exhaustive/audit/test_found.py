"""What one runner shows in the system tests, under the other one."""

import pytest

from tests.audits import assert_keys_are_hashed, audited
from tests.system.audit.test_deciding import names_the_entry_that_decides
from tests.system.audit.test_found import (
    LABELS,
    print_where_settings_and_workers_are_options,
    show_in_a_fresh_shell,
    tell_apart_by_a_key_function,
)
from tests.system.audit.test_trouble import keep_what_was_written_until_ctrl_c


def test_a_printed_command_shows_the_failure_in_a_fresh_shell(corpus):
    show_in_a_fresh_shell(audited(corpus, "--runner", "pytest", *LABELS["pytest"]))


def test_a_command_is_printed_also_where_settings_and_workers_are_options(corpus):
    print_where_settings_and_workers_are_options(corpus, "pytest")


def test_what_a_key_function_tells_apart_is_told_apart(corpus):
    tell_apart_by_a_key_function(corpus, "pytest")


def test_the_entry_that_decides_is_named_and_no_other(corpus):
    names_the_entry_that_decides(corpus, "pytest")


@pytest.mark.fresh_interpreter("Ctrl-C ends the processes that people start")
def test_an_interrupt_of_the_ordinary_run_keeps_what_it_has_written(corpus):
    keep_what_was_written_until_ctrl_c(corpus, "pytest")


def test_keys_are_hashed_where_an_option_asks_for_it(corpus):
    assert_keys_are_hashed(corpus, "--hash-keys", CI_CACHE_ISOLATION_HASH_KEYS=None)
