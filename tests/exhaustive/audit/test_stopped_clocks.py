"""Leaks of what lives by a clock that is stopped, in each way that stops it."""

import pytest

from tests.system.audit.test_found import (
    STOPPED,
    met_where_the_clock_is_stopped,
    stressed_where_the_clock_is_stopped,
)


@pytest.mark.parametrize("year", [2019, 2061])
@pytest.mark.parametrize("stopped", STOPPED)
def test_what_lives_by_a_clock_that_is_stopped_is_met(corpus, stopped, year):
    met_where_the_clock_is_stopped(corpus, stopped, year)


@pytest.mark.parametrize("stopped", STOPPED)
def test_stress_names_what_lives_by_a_clock_that_is_stopped(corpus, stopped):
    stressed_where_the_clock_is_stopped(corpus, stopped)
