"""Every kind of test in every way on every kind of store: all pairs not in system."""

import pytest

from tests.kinds import CASES, SAMPLE


@pytest.mark.parametrize(
    ("way", "store"), [pair for pair in CASES if pair not in SAMPLE]
)
def test_all_kinds_meet_each_other_with_isolation_off_and_pass_with_it_on(
    kinds_apart, way, store
):
    kinds_apart(way, store)
