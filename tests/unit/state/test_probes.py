"""What no container holds, read and put back."""

import random

import pytest

from ci_cache_isolation.state.probes import PROBES


@pytest.mark.parametrize("has_gauss", [True, False])
def test_random_numbers_go_on_where_they_were(has_gauss):
    before = random.getstate()
    try:
        if has_gauss:
            random.gauss(0, 1)
        probe = PROBES["random.getstate()"]
        state = probe.ask()
        assert type(state) is bytes
        expected = [random.random(), random.gauss(0, 1)]
        assert probe.ask() != state
        probe.put(state)
        assert [random.random(), random.gauss(0, 1)] == expected
    finally:
        random.setstate(before)
