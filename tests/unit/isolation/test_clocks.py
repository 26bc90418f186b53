"""Clocks that freezegun and time-machine stop, and the one that runs on."""

import importlib
import time

import pytest

from ci_cache_isolation.isolation import clocks
from tests.stopped_clocks import FUTURE, LIBRARIES, PAST


@pytest.fixture(params=LIBRARIES)
def stopped(request):
    return LIBRARIES[request.param]


@pytest.mark.parametrize("moment", [PAST, FUTURE], ids=["past", "future"])
def test_a_clock_that_is_stopped_leaves_ours_running(stopped, moment):
    before = clocks.steady()
    with stopped(moment):
        assert time.time() == moment.timestamp()
        inside = [clocks.steady() for _ in range(2) if not time.sleep(0.01)]
    assert before < inside[0] < inside[1] < clocks.steady() < before + 60


def test_a_module_that_is_imported_while_the_clock_is_stopped_has_the_running_one(
    stopped,
):
    before = clocks.steady()
    with stopped(PAST):
        found = importlib.util.find_spec(clocks.__name__)
        module = importlib.util.module_from_spec(found)
        found.loader.exec_module(module)
        assert before <= module.steady() < before + 60
        time.sleep(0.01)
        assert module.steady() > before


def test_a_deadline_is_told_on_both_clocks_and_rounded_up(stopped):
    deadline = clocks.Deadline(2.5)
    assert deadline.seconds() == 3
    with stopped(PAST) as move:
        assert deadline.seconds() == 3
        assert deadline.seconds_seen() > 10**8
        frozen = clocks.Deadline(2.5)
        assert [frozen.seconds(), frozen.seconds_seen()] == [3, 3]
        move(1)
        assert [frozen.seconds(), frozen.seconds_seen()] == [3, 2]
        move(2)
        assert [frozen.seconds(), frozen.seconds_seen()] == [3, 0]
    assert frozen.seconds_seen() < -(10**8)
