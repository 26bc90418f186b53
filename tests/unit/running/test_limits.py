"""A time that runs may take, and what is said of those that it has ended."""

import pytest

from ci_cache_isolation.running.jobs import End, Forked, Job
from ci_cache_isolation.running.limits import TimeLimit
from ci_cache_isolation.running.outcomes import FAILED, PASSED

USUAL = 10.0


class Machine:
    """Runs tests one after the other; each takes ``seconds``, if it may."""

    def __init__(self, seconds):
        self.seconds = seconds
        self.now = 100.0
        self.given = []

    def clock(self):
        return self.now

    def run(self, jobs):
        for job in jobs:
            self.given.append(job.seconds)
            limit = USUAL if job.seconds is None else job.seconds
            self.now += min(limit, self.seconds)
            is_ended = self.seconds > limit
            end = End.TIMED_OUT if is_ended else End.FINISHED
            yield Forked(job, end, {"a": FAILED if is_ended else PASSED}, 1.0, "")


@pytest.fixture
def limited():
    def run(machine, seconds, *jobs):
        limit = TimeLimit(seconds, machine.clock)
        return list(limit.within(machine.run, lambda: USUAL)(jobs))

    return run


def test_none_is_begun_after_it_and_none_goes_on(limited):
    machine, jobs = Machine(4), [Job(("a",)) for _ in range(5)]
    ended = limited(machine, 11, *jobs)
    assert [each.last for each in ended] == [PASSED, PASSED, None]
    assert [each.came_to for each in ended] == [PASSED, PASSED, None]
    assert ended[-1].end is End.INTERRUPTED
    assert machine.now == 111


def test_a_job_is_told_of_as_it_was_given(limited):
    jobs = [Job(("a",)) for _ in range(3)]
    ended = limited(Machine(1), 5, *jobs)
    assert [id(each.job) for each in ended] == list(map(id, jobs))


def test_one_that_has_no_end_within_its_own_time_has_failed(limited):
    machine = Machine(60)
    [forked] = limited(machine, 1000, Job(("a",)))
    assert (forked.end, forked.last) == (End.TIMED_OUT, FAILED)
    machine = Machine(60)
    [forked] = limited(machine, 30, Job(("a",), seconds=7.0))
    assert (forked.end, forked.last, machine.given) == (End.TIMED_OUT, FAILED, [7.0])


def test_a_part_of_it_ends_earlier():
    machine = Machine(1)
    limit = TimeLimit(60, machine.clock)
    part = limit.but(12)
    machine.now += 48
    assert (part.is_over(), limit.is_over(), limit.left) == (True, False, 12)
