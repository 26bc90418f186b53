"""What is known of each conflict when an audit has ended."""

import pytest

from ci_cache_isolation.audit.result import AuditResult, Standing
from ci_cache_isolation.evidence.conflicts import audited
from ci_cache_isolation.judging.deciding_entry import Decided
from ci_cache_isolation.judging.finding import Finding
from ci_cache_isolation.judging.judged import Judged
from ci_cache_isolation.judging.proofs import TIMES, Proof
from ci_cache_isolation.judging.verdicts import Verdict
from tests.unit.evidence.test_conflicts import KEY, OTHER, left, look, note

LEAVES = note("a", left={KEY: left(), OTHER: left()})
LOOKS = note("b", looked={KEY: look(), OTHER: look()})
LEAVER, LOOKER = LEAVES.test, LOOKS.test


def standing(*, tested=None, findings=(), notes=(LEAVES, LOOKS), **known):
    """Return what is known of the entries that these tests meet in."""
    result = AuditResult("django", 1, audited=audited(notes), is_confirmed=True)
    result.tested = {LOOKER: frozenset([LEAVER])} if tested is None else tested
    result.findings = list(findings)
    for name, value in known.items():
        setattr(result, name, value)
    return {conflict.entry: found for conflict, found in result.come_to()}


def finding(carrier, *, after=(LEAVER,), harmless=()):
    """Return a victim, and what carries it: the suspicion of an entry, if one does."""
    suspicions = audited([LEAVES, LOOKS]).conflicts
    judged = Judged(LOOKER, Verdict.VICTIM, Proof(0, TIMES, 0), (), after=(after,))
    [conflict] = [each for each in suspicions if each.entry == carrier]
    found = audited([LEAVES, LOOKS]).suspects[LOOKER][LEAVER]
    suspicion = found._replace(conflict=conflict)
    return Finding(judged, suspicion, Decided(harmless=frozenset(harmless)))


def test_what_was_tried_and_changed_nothing_is_harmless():
    assert standing() == {KEY: Standing.HARMLESS, OTHER: Standing.HARMLESS}


@pytest.mark.parametrize("tested", [{}, {LOOKER: frozenset()}])
def test_what_was_not_tried_is_not_harmless(tested):
    assert set(standing(tested=tested).values()) == {Standing.UNTESTED}


def test_one_of_two_that_leave_it_was_not_tried():
    other = note("c", left={KEY: left()})
    found = standing(notes=(LEAVES, other, LOOKS))
    assert found == {KEY: Standing.UNTESTED, OTHER: Standing.HARMLESS}


def test_what_decides_is_carried_and_hides_what_the_same_tests_share_besides():
    found = standing(findings=[finding(KEY)])
    assert found == {KEY: Standing.CARRIED, OTHER: Standing.UNTESTED}


def test_what_was_left_alone_in_place_and_changed_nothing_is_harmless():
    found = standing(findings=[finding(KEY, harmless=[OTHER])])
    assert found == {KEY: Standing.CARRIED, OTHER: Standing.HARMLESS}


def test_a_victim_of_others_was_tried_after_this_one():
    found = standing(findings=[finding(KEY, after=("app.Tests.z",))])
    assert found == {KEY: Standing.CARRIED, OTHER: Standing.HARMLESS}


def test_one_of_many_that_see_it_has_not_seen_it_alone():
    others = [note(f"t{number}", looked={KEY: look()}) for number in range(9)]
    tested = {each.test: frozenset([LEAVER]) for each in [LOOKS, *others]}
    notes = (LEAVES, *others, LOOKS)
    found = standing(notes=notes, tested=tested, findings=[finding(OTHER)])
    assert found == {KEY: Standing.UNTESTED, OTHER: Standing.CARRIED}
