"""Tests that patch a held cache: the pairs of way and store that system leaves out."""

import pytest

from tests.held_and_patched import CASES, SAMPLE


@pytest.mark.parametrize(
    ("way", "store"), [case for case in CASES if case not in SAMPLE]
)
def test_what_is_patched_in_a_worker_is_what_code_holds(held_and_patched, way, store):
    held_and_patched(way, store)
