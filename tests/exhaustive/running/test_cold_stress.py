"""Stress where forks are not safe, held against what it finds in forks."""

import pytest

from tests.cold_stress import finds_the_same_without_forks


@pytest.mark.parametrize("runner", ["django", "pytest"])
def test_without_forks_the_same_is_found_and_said_why(tmp_path, runner):
    finds_the_same_without_forks(tmp_path, runner)
