"""Who hides a leak: who may, and who does."""

import itertools

from ci_cache_isolation.evidence.account import How, PatternSearch
from ci_cache_isolation.evidence.conflicts import audited
from ci_cache_isolation.judging.cleaners import candidates, cleaners
from ci_cache_isolation.judging.finding import Finding
from ci_cache_isolation.judging.judged import Judged
from ci_cache_isolation.judging.proofs import Proof
from ci_cache_isolation.judging.verdicts import Verdict
from ci_cache_isolation.running.forks import Job
from ci_cache_isolation.running.outcomes import FAILED, PASSED
from tests.unit.evidence.test_conflicts import KEY, OTHER, left, look, note
from tests.unit.judging.test_suspicions import Suite, passing_after


def may_clean(*notes):
    return [name.rpartition(".")[2] for name in candidates({KEY}, notes).get(KEY, ())]


def test_who_stores_deletes_or_clears_without_looking_may_be_a_cleaner():
    assert may_clean(
        note("stores", left={KEY: left()}),
        note("deletes", left={KEY: left(How.DELETED)}, looked={KEY: look(hit=True)}),
        note("deletes_nothing", tidied=frozenset({KEY})),
        note("clears", cleared={"place": left(How.CLEARED)}),
        note("deletes_by_pattern", emptied=(PatternSearch(*KEY[:3], "k*"),)),
    ) == ["stores", "deletes", "deletes_nothing", "clears", "deletes_by_pattern"]


def test_who_looks_or_does_something_else_is_none():
    assert not may_clean(
        note("looks", looked={KEY: look()}),
        note("looks_and_stores", looked={KEY: look()}, left={KEY: left()}),
        note("stores_another", left={OTHER: left()}),
        note("clears_another", cleared={"elsewhere": left(How.CLEARED)}),
        note("deletes_others", emptied=(PatternSearch(*KEY[:3], "o*"),)),
    )


def test_candidates_come_from_each_class_in_turn():
    notes = [note(f"a{number}", "app.A", left={KEY: left()}) for number in range(30)]
    notes.append(note("b", "app.B", left={KEY: left()}))
    assert may_clean(*notes)[:3] == ["a0", "b", "a1"]


def finding(verdict=Verdict.VICTIM, after=(("polluter",),)):
    notes = note("polluter", left={KEY: left()}), note("victim", looked={KEY: look()})
    suspicion = audited(notes).suspects["app.Tests.victim"]["app.Tests.polluter"]
    judged = Judged("victim", verdict, Proof(0, 5, 0), (*after[0], "victim"), after)
    return Finding(judged, suspicion)


def hidden_by(*names):
    """Make a victim that passes behind these, and only then fails without them."""

    def victim(before):
        return PASSED if before[-1] in names or len(before) < 2 else FAILED

    return Suite(victim=victim)


def never_over():
    return False


def test_who_hides_it_between_polluter_and_victim_is_a_cleaner():
    suite = hidden_by("a", "c")
    found = cleaners([finding()], {KEY: ["a", "b", "c"]}, suite.run, never_over)
    assert found == {"victim": ("a", "c")}
    assert Job(("polluter", "b", "victim")) in suite.jobs


def test_of_a_brittle_test_who_makes_it_fail_again_is_a_cleaner():
    suite = Suite(victim=lambda before: FAILED if "a" in before else PASSED)
    brittle = finding(Verdict.BRITTLE)
    assert cleaners([brittle], {KEY: ["a", "b"]}, suite.run, never_over) == {
        "victim": ("a",)
    }


def test_polluters_and_the_victim_itself_are_not_tried():
    suite = Suite(victim=passing_after(["other"]))
    both = finding(after=(("one", "two"), ("polluter",)))
    names = ["one", "two", "polluter", "victim", "other"]
    assert cleaners([both], {KEY: names}, suite.run, never_over) == {
        "victim": ("other",)
    }
    assert suite.jobs == [Job(("one", "two", "other", "victim"))]


def test_of_many_some_are_tried_and_named():
    names = [f"t{number}" for number in range(50)]
    suite = hidden_by(*names)
    found = cleaners([finding()], {KEY: names}, suite.run, never_over)
    assert found == {"victim": tuple(names[:10])}
    assert len(suite.jobs) == 20


def test_when_the_time_is_over_no_more_are_tried():
    over = itertools.chain([False, False], itertools.repeat(object()))
    suite = hidden_by("a", "b", "c")
    found = cleaners([finding()], {KEY: ["a", "b", "c"]}, suite.run, lambda: next(over))
    assert found == {"victim": ("a", "b")}
