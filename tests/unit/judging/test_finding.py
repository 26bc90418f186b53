"""What carried a failure, of a test that was judged."""

from ci_cache_isolation.evidence.conflicts import audited
from ci_cache_isolation.judging.deciding_entry import NOT_TRIED, Decided
from ci_cache_isolation.judging.finding import Finding
from ci_cache_isolation.judging.judged import Judged
from ci_cache_isolation.judging.proofs import TIMES, Proof
from ci_cache_isolation.judging.verdicts import Verdict
from tests.unit.evidence.test_conflicts import KEY, OTHER, left, look, note

LEAVES = note("a", left={KEY: left(), OTHER: left()})
LOOKS = note("b", looked={KEY: look(), OTHER: look()})
AUDITED = audited([LEAVES, LOOKS])
FIRST = AUDITED.suspects[LOOKS.test][LEAVES.test]
OF_KEY, OF_OTHER = (
    FIRST._replace(conflict=each)
    for entry in (KEY, OTHER)
    for each in AUDITED.conflicts
    if each.entry == entry
)


def found(decided, suspicion=OF_KEY):
    judged = Judged(LOOKS.test, Verdict.VICTIM, Proof(0, TIMES, 0), ())
    return Finding(judged, suspicion, decided)


def test_without_an_experiment_it_is_what_is_suspected():
    assert found(NOT_TRIED).carrying == {KEY: OF_KEY}
    assert found(NOT_TRIED).together == ()
    assert found(NOT_TRIED, None).carrying == {}


def test_with_one_it_is_what_decides_and_what_is_needed_besides():
    both = found(Decided(groups=((OF_OTHER, OF_KEY),)))
    assert both.carrying == {OTHER: OF_OTHER, KEY: OF_KEY}
    assert both.together == (OF_KEY,)
    either = found(Decided(groups=((OF_OTHER,), (OF_KEY,))))
    assert either.carrying == {OTHER: OF_OTHER, KEY: OF_KEY}
    assert either.together == ()


def test_it_is_carried_where_the_experiment_found_something():
    assert found(Decided(groups=((OF_KEY,),))).is_carried
    assert not found(Decided()).is_carried
    assert found(NOT_TRIED).is_carried
    assert not found(NOT_TRIED, None).is_carried
