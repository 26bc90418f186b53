"""Conflicts: who left what another reads first."""

from ci_cache_isolation.evidence import conflicts
from ci_cache_isolation.evidence.account import (
    Entry,
    How,
    Left,
    Look,
    PatternSearch,
    Searched,
    Site,
)
from ci_cache_isolation.evidence.conflicts import audited
from ci_cache_isolation.evidence.notes import Note

KEY = Entry("place", "", "1", "key")
OTHER = Entry("place", "", "1", "other")
MODULE, CLASS, OTHER_CLASS = "app", "app.Tests", "app.OtherTests"


def left(how=How.STORED, at="app.py:2"):
    return Left("default", "set", how, None, Site(at, ""))


def look(*, hit=False, holder=""):
    return Look("default", "get", hit, Site("app.py:1", ""), holder)


def note(test, test_class=CLASS, **what):
    name = f"{test_class}.{test}"
    return Note(name, name, (MODULE, test_class), **what)


def of_class(name=CLASS, **what):
    return Note(name, "", (MODULE,), **what)


def pairs(*notes):
    return {
        (polluter, victim)
        for victim, found in audited(notes).suspects.items()
        for polluter in found
    }


def test_who_leaves_is_met_by_who_looks_first_whatever_the_order():
    polluter, victim = note("a", left={KEY: left()}), note("b", looked={KEY: look()})
    expected = {("app.Tests.a", "app.Tests.b")}
    assert pairs(polluter, victim) == pairs(victim, polluter) == expected


def test_nobody_meets_himself():
    assert pairs(note("a", left={KEY: left()}, looked={KEY: look()})) == set()


def test_another_version_prefix_or_place_is_another_entry():
    others = [KEY._replace(**{name: "x"}) for name in ("place", "prefix", "version")]
    polluter = note("a", left=dict.fromkeys(others, left()))
    assert pairs(polluter, note("b", looked={KEY: look()})) == set()


def test_what_its_own_class_stored_is_no_leak():
    held = look(hit=True, holder=CLASS)
    assert pairs(of_class(left={KEY: left()}), note("b", looked={KEY: held})) == set()


def test_what_a_class_stored_is_brought_about_by_its_tests():
    found = pairs(
        note("a"),
        of_class(left={KEY: left()}),
        note("b", OTHER_CLASS, looked={KEY: look()}),
    )
    assert found == {("app.Tests.a", "app.OtherTests.b")}


def test_who_asked_for_a_fixture_comes_before_the_rest_of_its_module():
    tests = [note(f"t{number}") for number in range(30)]
    asking = tests[25].test, "another.module.test"
    fixture = Note(MODULE, "", (), left={KEY: left()}, during=asking)
    victim = Note("b", "b", ("elsewhere",), looked={KEY: look()})
    found = audited([*tests, fixture, victim]).suspects["b"]
    assert next(iter(found)) == tests[25].test
    assert "another.module.test" not in found


def test_who_changes_what_the_class_stored_is_met_by_the_next():
    held = look(hit=True, holder=CLASS)
    changing = note("a", left={KEY: left()}, looked={KEY: held})
    assert pairs(changing, note("b", looked={KEY: held})) == {
        ("app.Tests.a", "app.Tests.b")
    }


def test_who_clears_is_met_by_who_finds_what_both_their_scopes_stored():
    clearing = note("a", cleared={"place": left(How.CLEARED)})
    held = look(hit=True, holder=CLASS)
    assert pairs(clearing, note("b", looked={KEY: held})) == {
        ("app.Tests.a", "app.Tests.b")
    }
    assert pairs(clearing, note("b", looked={KEY: look()})) == set()
    elsewhere = note("b", OTHER_CLASS, looked={KEY: look(hit=True, holder=OTHER_CLASS)})
    assert pairs(clearing, elsewhere) == set()


def searched(pattern, *known, **others):
    found = PatternSearch(*KEY[:3], pattern)._replace(**others)
    return {found: Searched(look(hit=None), known)}


def test_who_searches_meets_who_leaves_what_matches():
    polluter = note("a", left={KEY: left(), OTHER: left()})
    assert pairs(polluter, note("b", searched=searched("k*"))) == {
        ("app.Tests.a", "app.Tests.b")
    }
    [conflict] = audited([note("b", searched=searched("k?y")), polluter]).conflicts
    assert (conflict.entry, len(conflict.seen_by)) == (KEY, 1)


def test_who_searches_does_not_meet_what_is_his_own_or_elsewhere():
    polluter = note("a", left={KEY: left()})
    harmless = [searched("k*", "key"), searched("o*"), searched("k*", version="2")]
    for what in harmless:
        assert pairs(polluter, note("b", searched=what)) == set()


def test_who_deletes_something_is_not_met_by_a_search_that_did_not_find_it():
    polluter = note("a", left={KEY: left(How.DELETED)})
    assert pairs(polluter, note("b", searched=searched("*"))) == set()


def test_of_much_that_is_left_at_one_line_a_search_finds_a_little():
    entries = [KEY._replace(key=f"key:{number}") for number in range(100)]
    polluter = note("a", left=dict.fromkeys(entries, left()))
    found = audited([polluter, note("b", searched=searched("key:*"))])
    assert len(found.conflicts) == 20


def test_of_many_that_leave_the_same_at_one_line_a_few_are_suspected():
    polluters = [note(f"a{number}", left={KEY: left()}) for number in range(200)]
    polluters.append(note("other", left={KEY: left(at="other.py:1")}))
    found = {
        polluter for polluter, _ in pairs(*polluters, note("b", looked={KEY: look()}))
    }
    assert "app.Tests.other" in found
    assert len(found) == 20 + 1


def test_many_tests_on_one_key_are_counted_in_no_time():
    notes = [
        note(f"t{number}", left={KEY: left()}, looked={KEY: look()})
        for number in range(5000)
    ]
    found = audited(notes)
    assert len(found.conflicts) == 1
    assert len(found.suspects) == 5000


def test_entries_of_few_tests_come_first_where_there_are_too_many(monkeypatch):
    monkeypatch.setattr(conflicts, "_MANY_PAIRS", 3)
    everybodys = [
        note(f"t{number}", left={OTHER: left()}, looked={OTHER: look()})
        for number in range(10)
    ]
    few = note("a", left={KEY: left()}), note("b", looked={KEY: look()})
    found = audited([*everybodys, *few])
    assert set(found.suspects["app.Tests.b"]) == {"app.Tests.a"}
    assert (len(found.conflicts), found.left_out) == (2, 0)
    monkeypatch.setattr(conflicts, "_MANY_PAIRS", 0)
    found = audited([*everybodys, *few])
    assert (len(found.suspects), found.left_out) == (1, 1)
