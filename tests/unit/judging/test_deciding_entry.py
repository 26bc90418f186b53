"""The entry that decides, on suites that are made up."""

import itertools

import pytest

from ci_cache_isolation.evidence.account import Entry, How, Left, Look, Site
from ci_cache_isolation.evidence.conflicts import (
    Actor,
    Conflict,
    Leaver,
    Looker,
    Suspicion,
)
from ci_cache_isolation.judging.deciding import ONE_BY_ONE
from ci_cache_isolation.judging.deciding_entry import decide
from ci_cache_isolation.judging.proofs import TIMES
from ci_cache_isolation.running.jobs import End, Forked, SectionMode
from ci_cache_isolation.running.outcomes import FAILED, PASSED

ORDER = ("polluter", "victim")


def conflict_of(key):
    polluter, victim = (Actor(name, (), (name,)) for name in ORDER)
    left = Left("default", "set", How.STORED, None, Site("app.py:2", ""))
    look = Look("default", "get", None, Site("app.py:1", ""), "")
    sides = (Leaver(polluter, left),), (Looker(victim, look),)
    return Conflict(Entry("place", "", "1", key), "default", *sides)


def suspicion_of(found):
    return Suspicion(found, found.left_by[0], found.seen_by[0])


class Victim:
    """Fails after what leaves one of the groups of keys in place."""

    def __init__(self, *groups, always=False, ends=True):
        self.groups = [set(group) for group in groups]
        self.always = always
        self.ends = ends
        self.jobs = []

    def run(self, keys, jobs):
        for job in jobs:
            self.jobs.append(job)
            left = set(keys) - {key for *_, key in job.undone}
            has_failed = self.always or any(group <= left for group in self.groups)
            outcomes = {"victim": FAILED if has_failed else PASSED}
            end = End.FINISHED if self.ends else End.INTERRUPTED
            yield Forked(job, end, outcomes if self.ends else {}, 0.01, "")


def decided(victim, keys, **options):
    suspicions = [suspicion_of(conflict_of(key)) for key in keys]
    return decide(
        suspicions, ORDER, PASSED, lambda jobs: victim.run(keys, jobs), **options
    )


def keys_of(groups):
    return [[each.conflict.entry.key for each in group] for group in groups]


def test_the_entry_that_decides_is_found_and_the_others_are_harmless():
    found = decided(Victim("c"), "abcd")
    assert keys_of(found.groups) == [["c"]]
    assert found.first.conflict.entry.key == "c"
    assert {entry.key for entry in found.harmless} == set("abd")


def test_entries_of_which_each_is_enough_are_all_found():
    assert keys_of(decided(Victim("a", "d"), "abcd").groups) == [["a"], ["d"]]


@pytest.mark.parametrize("needed", [*itertools.combinations("abcde", 2), tuple("bde")])
def test_entries_that_are_needed_together_are_found(needed):
    found = decided(Victim(needed), "abcde")
    assert keys_of(found.groups) == [list(needed)]
    assert {entry.key for entry in found.harmless} == set("abcde") - set(needed)


def test_among_many_entries_it_is_found_by_halves():
    keys = [chr(at) for at in range(ord("A"), ord("A") + 4 * ONE_BY_ONE)]
    victim = Victim(("B", "h"))
    assert keys_of(decided(victim, keys).groups) == [["B", "h"]]
    assert len(victim.jobs) < len(keys)


def test_where_all_is_undone_in_vain_it_is_none_of_them():
    found = decided(Victim(always=True), "ab")
    assert (found.groups, found.harmless, found.is_whole) == ((), frozenset(), True)


def test_one_entry_is_tried_only_where_something_else_may_carry_it():
    victim = Victim("a")
    assert keys_of(decided(victim, "a").groups) == [["a"]]
    assert not victim.jobs
    assert decided(Victim(always=True), "a", is_known=False).groups == ()


def test_when_time_is_over_nothing_is_said():
    assert not decided(Victim("a", ends=False), "ab").is_whole


def test_what_decides_does_so_each_time():
    victim = Victim("a")
    decided(victim, "ab", sections=SectionMode.REMEMBERING)
    of_a = [job for job in victim.jobs if [each[-1] for each in job.undone] == ["b"]]
    assert len(of_a) == 1 + TIMES
    assert {job.sections for job in victim.jobs} == {SectionMode.REMEMBERING}
