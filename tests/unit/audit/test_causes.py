"""Which findings have one cause."""

from ci_cache_isolation.audit.causes import by_cause, by_pattern
from ci_cache_isolation.evidence.account import Entry, How, Left, Look, Site
from ci_cache_isolation.evidence.conflicts import (
    Actor,
    Conflict,
    Leaver,
    Looker,
    Suspicion,
)
from ci_cache_isolation.judging.finding import Finding
from ci_cache_isolation.judging.judged import Judged
from ci_cache_isolation.judging.proofs import Proof, Verdict


def conflict(key, alias="default", at="app.py:2"):
    polluter, victim = (Actor(name, (), (name,)) for name in ("polluter", "victim"))
    leaver = Leaver(polluter, Left(alias, "set", How.STORED, None, Site(at, "")))
    looker = Looker(victim, Look(alias, "get", None, Site("app.py:1", ""), ""))
    return Conflict(Entry("place", "", "1", key), alias, (leaver,), (looker,))


def suspicion_of(found):
    return Suspicion(found, found.left_by[0], found.seen_by[0])


def finding(test, *polluters, **where):
    found = conflict(**where)
    after = tuple((polluter,) for polluter in polluters)
    judged = Judged(test, Verdict.VICTIM, Proof(0, 5, 0), (*after[0], test), after)
    return Finding(judged, suspicion_of(found))


def victims(causes):
    return [[each.test for each in cause.findings] for cause in causes]


def test_one_polluter_and_its_line_are_one_cause_whatever_the_keys():
    [cause] = by_cause([finding(f"v{n}", "a", key="xyz"[n]) for n in range(3)])
    assert cause.keys == ("x", "y", "z")
    assert (cause.after, cause.is_shared) == ((("a",),), True)


def test_one_line_and_keys_of_one_pattern_are_one_cause_whoever_pollutes():
    [cause] = by_cause(
        [finding("v1", "a", key="user:1"), finding("v2", "a", "b", key="user:2")]
    )
    assert cause.after == (("a",), ("b",))
    assert not cause.is_shared


def test_another_line_alias_or_pattern_is_another_cause():
    found = by_cause(
        [
            finding("v1", "a", key="user:1"),
            finding("v2", "b", key="user:1", at="app.py:9"),
            finding("v3", "c", key="user:1", alias="other"),
            finding("v4", "d", key="team:1"),
        ]
    )
    assert victims(found) == [["v1"], ["v2"], ["v3"], ["v4"]]


def test_what_joins_two_causes_makes_them_one_and_most_victims_come_first():
    found = by_cause(
        [
            finding("else", "z", key="other"),
            finding("v1", "a", key="user:1"),
            finding("v2", "b", key="team:1"),
            finding("v3", "b", key="user:2"),
        ]
    )
    assert victims(found) == [["v1", "v2", "v3"], ["else"]]


def test_conflicts_of_one_alias_and_pattern_go_together():
    found = by_pattern(
        [
            conflict("user:1"),
            conflict("user:x"),
            conflict("user:2"),
            conflict("user:3", "b"),
        ]
    )
    keys = [[each.entry.key for each in group] for group in found]
    assert keys == [["user:1", "user:2"], ["user:x"], ["user:3"]]
