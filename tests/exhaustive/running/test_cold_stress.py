"""Stress where forks are not safe, under pytest too."""

from tests.cold_stress import finds_the_same_without_forks


def test_without_forks_the_same_is_found_and_said_why(tmp_path):
    finds_the_same_without_forks(tmp_path, "pytest")
