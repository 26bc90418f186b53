"""The few among many of which something still holds."""

from hypothesis import given
from hypothesis import strategies as st

from ci_cache_isolation.evidence.halving import fewest


@given(st.integers(1, 40), st.data())
def test_exactly_those_that_are_needed_are_left(number, data):
    things = list(range(number))
    needed = data.draw(st.sets(st.sampled_from(things), min_size=1, max_size=4))
    asked = []

    def holds(some):
        asked.append(tuple(some))
        return needed <= set(some)

    assert set(fewest(things, holds)) == needed
    assert () not in asked


def test_of_several_that_are_enough_one_is_left():
    assert len(fewest("abcdef", lambda some: {"a", "d"} & set(some))) == 1


def test_nothing_stays_nothing():
    assert fewest((), lambda _: True) == []
