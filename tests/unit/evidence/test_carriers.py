"""What two tests have in common."""

from ci_cache_isolation.evidence.carriers import Carriers
from ci_cache_isolation.evidence.conflicts import audited
from tests.unit.evidence.test_conflicts import KEY, OTHER, left, look, note

THIRD = KEY._replace(key="third")
BOTH = note("a", left={KEY: left(), OTHER: left()})
ONE = note("b", left={OTHER: left(), THIRD: left()})
LOOKS = note("c", looked={KEY: look(), OTHER: look()})
ELSEWHERE = note("d", looked={THIRD: look()})
CARRIERS = Carriers(audited([BOTH, ONE, LOOKS, ELSEWHERE]).conflicts)


def between(victim, *polluters):
    return [each.conflict.entry for each in CARRIERS.between(victim, polluters)]


def test_it_is_what_one_leaves_and_the_other_looks_at_and_fewest_share():
    assert between(LOOKS.test, BOTH.test) == [KEY, OTHER]
    assert between(LOOKS.test, ONE.test) == [OTHER]
    assert between(LOOKS.test, BOTH.test, ONE.test) == [KEY, OTHER]


def test_what_either_has_in_common_with_others_is_none_of_it():
    assert between(ELSEWHERE.test, BOTH.test) == []
    assert between(BOTH.test, LOOKS.test) == []
    assert between("app.Tests.unknown", BOTH.test) == []
