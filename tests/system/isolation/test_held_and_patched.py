"""Tests that patch a cache in ``caches``, and code that holds it since import."""

import pytest

from tests.held_and_patched import SAMPLE


@pytest.mark.parametrize(("way", "store"), SAMPLE)
def test_what_is_patched_in_a_worker_is_what_code_holds(held_and_patched, way, store):
    held_and_patched(way, store)


def test_so_it_is_without_isolation(held_and_patched):
    held_and_patched(
        "fork", "memory", "-k", "test_patched", passing=3, CI_CACHE_ISOLATION="off"
    )
