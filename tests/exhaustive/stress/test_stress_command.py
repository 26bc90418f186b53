"""``cache-isolation stress`` under the runner that the system tests leave out."""

import pytest

from tests.commands import copied
from tests.system.stress.test_stress_command import (
    accuses_nobody,
    calls_it_broken,
    calls_it_clean,
    hash_keys,
    split_run_that_hangs,
    spoils_its_own_run_only,
)

RUNNERS = ["django", "pytest"]


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_split_run_that_hangs_is_no_good_one_and_its_test_is_named(tmp_path, runner):
    split_run_that_hangs(copied("small", tmp_path), runner, 15)


@pytest.mark.parametrize("runner", RUNNERS)
def test_tests_that_only_other_orders_make_fail_are_not_accused(tmp_path, runner):
    accuses_nobody(copied("small", tmp_path), runner)


@pytest.mark.fresh_interpreter("every kind of run from end to end, as users start it")
def test_a_clean_suite_is_clean_in_every_kind_of_run(tmp_path):
    calls_it_clean(copied("small", tmp_path), "pytest")


def test_a_test_that_always_fails_is_broken_and_not_flaky(tmp_path):
    calls_it_broken(copied("small", tmp_path), "pytest")


def test_a_test_that_kills_its_process_is_named_and_spoils_its_own_run_only(tmp_path):
    spoils_its_own_run_only(copied("small", tmp_path), "django")


def test_keys_are_hashed_where_the_environment_asks_for_it(tmp_path):
    hash_keys(copied("small", tmp_path), CI_CACHE_ISOLATION_HASH_KEYS="on")
