"""Which of many callers are affected by which, on suites that are made up."""

import pytest

from ci_cache_isolation.audit.callers import affected_by, probes_of
from ci_cache_isolation.evidence.account import How, Left, Look, Site, remembered
from ci_cache_isolation.evidence.carriers import Carriers
from ci_cache_isolation.evidence.conflicts import Actor, Conflict, Leaver, Looker
from ci_cache_isolation.running.forks import End, Forked, SectionMode
from ci_cache_isolation.running.outcomes import FAILED, PASSED

PROBES = ("t20", "t199")


class Suite:
    """Each test has one function remember a value, unless another one has before.

    ``values`` are what it has it remember under which argument, and expects to find;
    where ``affected`` does not name it, it is content with everything.
    """

    def __init__(self, values, affected=()):
        self.values = values
        self.affected = affected
        self.jobs = []

    def run(self, jobs):
        for job in jobs:
            self.jobs.append(job)
            remembered, outcomes = {}, {}
            for test in job.tests:
                argument, value = self.values[test]
                found = remembered.setdefault(argument, value)
                is_right = found == value or test not in self.affected
                outcomes[test] = PASSED if is_right else FAILED
            yield Forked(job, End.FINISHED, outcomes, 0.01, "")


@pytest.fixture
def many():
    return {f"t{number}": ("a", 1) for number in range(200)}


def test_where_nobody_minds_all_are_run_alone_and_twice_together(many):
    suite = Suite(many, many)
    found = affected_by(list(many), PROBES, suite.run)
    assert (found.suspects, found.unexplained, found.is_whole) == ({}, 0, True)
    assert found.runs == len(many) + 3
    assert {job.sections for job in suite.jobs} == {SectionMode.REMEMBERING}


@pytest.mark.parametrize("place", ["t0", "t1", "t77", "t198", "t199"])
def test_who_has_it_remember_something_else_is_found_wherever_it_stands(many, place):
    suite = Suite(many | {place: ("a", 2)}, many)
    found = affected_by(list(many), PROBES, suite.run)
    assert place in found.suspects
    polluted = {test for test, after in found.suspects.items() if place in after}
    assert len(polluted) >= 20
    assert found.unexplained == 0


def test_another_argument_is_another_matter(many):
    others = {"t50": ("b", 1), "t150": ("b", 2)}
    suite = Suite(many | others, {"t150"})
    found = affected_by(list(many), PROBES, suite.run)
    assert found.suspects == {"t150": ["t50"]}
    assert found.runs < len(many) + 30


@pytest.mark.parametrize("place", ["t1", "t77", "t198"])
def test_who_minds_nothing_and_has_it_remember_something_else_is_found(many, place):
    suite = Suite(many | {place: ("a", 2)}, many.keys() - {place})
    found = affected_by(list(many), PROBES, suite.run)
    assert place not in found.suspects
    assert {tuple(after) for after in found.suspects.values()} == {(place,)}
    assert len(found.suspects) == 20


def test_who_was_tried_before_is_asked_first_and_named_if_it_does_it_too(many):
    # Both mind what t3 has it remember; who stands behind it costs no search.
    others = {"t3": ("b", 2), "t50": ("b", 1), "t60": ("b", 1)}
    suite = Suite(many | others, {"t50", "t60"})
    found = affected_by(list(many), PROBES, suite.run)
    assert found.suspects == {"t50": ["t3"], "t60": ["t3"]}
    asked = [job.tests for job in suite.jobs]
    assert ("t3", "t60") in asked
    assert not any(order[-1] == "t60" and 2 < len(order) < 150 for order in asked)


def test_who_is_changed_by_several_together_is_unexplained(many):
    class Together(Suite):
        def run(self, jobs):
            for forked in super().run(jobs):
                order = forked.job.tests
                before = order[: order.index("t198")] if "t198" in order else ()
                if {"t3", "t150"} <= set(before):
                    forked.outcomes["t198"] = FAILED
                yield forked

    found = affected_by(list(many), PROBES, Together(many).run)
    assert (found.suspects, found.unexplained) == ({}, 1)


def test_when_time_is_over_nobody_is_named_without_a_run(many):
    suite = Suite(many | {"t3": ("b", 2), "t50": ("b", 1)}, {"t50"})
    together = len(many) + 3
    found = affected_by(
        list(many), PROBES, suite.run, lambda: len(suite.jobs) >= together
    )
    assert (found.suspects, found.unexplained, found.is_whole) == ({}, 1, False)


def test_probes_call_all_functions_before_any_is_called_twice():
    conflicts = [
        conflict("f", ["a", "b", "c"]),
        conflict("g", ["b", "c", "d"]),
        conflict("h", ["e"]),
    ]
    assert probes_of(conflicts, list("abcde")) == ("c", "e", "b", "d")


def conflict(name, callers):
    actors = [Actor(each, (), (each,)) for each in callers]
    site = Site("app.py:1", "")
    left = Left("", "call", How.STORED, None, site)
    look = Look("", "call", None, site, "")
    leavers = tuple(Leaver(actor, left) for actor in actors)
    lookers = tuple(Looker(actor, look) for actor in actors)
    return Conflict(remembered(name), "", leavers, lookers)


def test_the_suspicion_is_the_one_that_fewest_others_share():
    many, few = conflict("f", list("abcd")), conflict("g", ["a", "b"])
    carriers = Carriers([many, few])
    assert [each.conflict for each in carriers.between("a", ["b"])] == [few, many]
    assert [each.conflict for each in carriers.between("a", ["d"])] == [many]
    assert not Carriers([few]).between("a", ["d"])


def test_it_ends_when_the_time_is_over(many):
    suite = Suite(many | {"t77": ("a", 2)}, many)
    found = affected_by(list(many), PROBES, suite.run, lambda: len(suite.jobs) > 100)
    assert not found.is_whole
    assert len(suite.jobs) < 110
