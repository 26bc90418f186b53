"""Stress of suites that patch a cache which code holds since import."""

import pytest

from tests.held_mocks import stress_names_the_victims


@pytest.mark.parametrize(
    ("runner", "store"),
    [("django", "memory"), ("django", "files"), ("pytest", "redis")],
)
def test_the_victim_of_a_patch_that_stays_is_a_victim(runner, store, request):
    stress_names_the_victims(runner, store, request)
