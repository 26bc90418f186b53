"""``cache-isolation stress`` where most of the time is waiting, under pytest too."""

import pytest

from tests.commands import copied
from tests.system.stress.test_stress_command import (
    accuses_nobody,
    split_run_that_hangs,
)

RUNNERS = ["django", "pytest"]


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_split_run_that_hangs_is_no_good_one_and_its_test_is_named(tmp_path, runner):
    split_run_that_hangs(copied("small", tmp_path), runner, 15)


@pytest.mark.parametrize("runner", RUNNERS)
def test_tests_that_only_other_orders_make_fail_are_not_accused(tmp_path, runner):
    accuses_nobody(copied("small", tmp_path), runner)
