"""Stress of a suite that patches a cache which code holds since import."""

from tests.held_mocks import stress_names_the_victims


def test_the_victim_of_a_patch_that_stays_is_a_victim(request):
    stress_names_the_victims("pytest", "redis", request)
