"""Patches of a cache that code holds since import, on stores the system tests omit."""

import pytest

from tests.held_mocks import stress_names_the_victims


@pytest.mark.parametrize("store", ["memory", "files"])
def test_the_victim_of_a_patch_that_stays_is_a_victim(store, request):
    stress_names_the_victims("django", store, request)
