"""Clocks that a test stops or moves, by each library that people use for that."""

import datetime as dt
from contextlib import contextmanager

import freezegun
import time_machine

# freezegun looks at each name of each module, and nox looks for uv when it is asked for
# one: that starts a process.
freezegun.configure(extend_ignore_list=["nox"])
PAST = dt.datetime(2019, 3, 4, 5, 6, 7, tzinfo=dt.UTC)
FUTURE = dt.datetime(2061, 3, 4, 5, 6, 7, tzinfo=dt.UTC)


@contextmanager
def by_freezegun(moment):
    """Stop the clock; the function that is given sets it on by some seconds."""
    with freezegun.freeze_time(moment) as clock:
        yield lambda seconds: clock.tick(dt.timedelta(seconds=seconds))


@contextmanager
def by_time_machine(moment):
    with time_machine.travel(moment, tick=False) as clock:
        yield clock.shift


LIBRARIES = {"freezegun": by_freezegun, "time-machine": by_time_machine}
