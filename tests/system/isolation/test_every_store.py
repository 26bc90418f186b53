"""Each way of running every kind of test, and each kind of store, at least once."""

import pytest

from tests.kinds import SAMPLE, WAYS
from tests.stores import STORES


@pytest.mark.parametrize(("way", "store"), SAMPLE)
def test_all_kinds_meet_each_other_with_isolation_off_and_pass_with_it_on(
    kinds_apart, way, store
):
    kinds_apart(way, store)


def test_each_way_and_each_store_is_in_the_sample():
    ways, stores = map(set, zip(*SAMPLE, strict=True))
    assert ways == {*WAYS}
    assert stores - {"files"} == {"locmem", *STORES} - {"files"}
