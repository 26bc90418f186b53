"""What tests leave, with its values: noted by content, put back, put in place."""

import types

import pytest

from ci_cache_isolation.evidence.recording_traces import (
    InPlace,
    Left,
    Recording,
    change_of,
)
from ci_cache_isolation.isolation.scopes import Scope, ScopeKind
from ci_cache_isolation.state.look import Look
from tests.unit.state import kept


@pytest.fixture
def look():
    taken = Look(only={kept.__name__})
    yield taken
    taken.undo(taken.changes())


def run(listener, kind, name, work=lambda: None):
    scope = Scope(kind, name)
    listener.began(scope)
    work()
    listener.is_ending(scope)
    listener.was_put_back(scope)


def test_the_same_content_of_two_tests_is_one():
    left = Left()
    first, second = object(), object()
    for before, after, test in [
        (1, 2, "a"),
        (1, 2, "b"),
        (1, first, "c"),
        (1, second, "d"),
        (1, (None, (1, 2)), "e"),
        (1, (None, (1, 2)), "f"),
        (1, 7, "g"),
    ]:
        left.add(before, after, [test])
    assert [tests for *_, tests in left.contents] == [
        ["a", "b"],
        ["c"],
        ["d"],
        ["e", "f"],
    ]
    assert left.tests == ["a", "b", "c", "d", "e", "f"]


def test_what_a_test_leaves_is_noted_and_put_back(look):
    recording = Recording(look, look.own)
    run(recording, ScopeKind.TEST, "a", lambda: kept.rates.update(USD=2))
    run(recording, ScopeKind.TEST, "b", lambda: kept.names.append("b"))
    run(recording, ScopeKind.TEST, "c")
    assert kept.rates == {"EUR": 1}
    assert kept.names == ["a"]
    assert [each.tests for each in recording.traces.values()] == [["a"], ["b"]]
    changes = [change_of(*each) for each in recording.traces.items()]
    assert [change.how for change in changes] == ["added", "changed"]


def test_what_a_class_sets_up_is_no_trace_of_its_tests(look):
    recording = Recording(look, look.own)

    def work():
        kept.rates["GBP"] = 1
        run(recording, ScopeKind.TEST, "a", lambda: kept.rates.update(USD=2))
        assert kept.rates == {"EUR": 1, "GBP": 1}

    run(recording, ScopeKind.CLASS, "of a", work)
    assert kept.rates == {"EUR": 1}
    # And what it does not take down itself is left by it, and so by its last test.
    assert [each.tests for each in recording.traces.values()] == [["a"], ["a"]]


def test_traces_are_put_in_place_before_each_test_and_taken_away_after_it(look):
    recording = Recording(look, look.own)
    run(recording, ScopeKind.TEST, "a", lambda: kept.rates.update(USD=2))
    contents = {mark: each.contents[0][1] for mark, each in recording.traces.items()}
    listener = InPlace(look, look.own, contents)
    seen = types.SimpleNamespace(rates=None)

    def work():
        seen.rates = dict(kept.rates)

    run(listener, ScopeKind.TEST, "b", work)
    assert seen.rates == {"EUR": 1, "USD": 2}
    # A class that sets up something else does so for all but this.
    run(listener, ScopeKind.CLASS, "of c", lambda: in_class(listener, work))
    assert seen.rates == {"EUR": 1, "GBP": 3, "USD": 2}
    listener.end()
    assert kept.rates == {"EUR": 1}


def in_class(listener, work):
    kept.rates["GBP"] = 3
    del kept.rates["USD"]
    run(listener, ScopeKind.TEST, "c", work)


def test_what_many_tests_leave_alike_is_put_back_no_more(look):
    recording = Recording(look, look.own)
    for name in "abcdefghij":
        run(recording, ScopeKind.TEST, name, lambda: kept.rates.update(USD=2))
        run(recording, ScopeKind.TEST, name, lambda: kept.rates.update(GBP=object()))
    assert set(kept.rates) == {"EUR", "USD"}
    assert [len(each.tests) for each in recording.traces.values()] == [8, 4]


@pytest.mark.parametrize(
    ("one", "other", "are_alike"),
    [
        ({"a": [1, {2}]}, {"a": [1, {2}]}, True),
        ({"a": [1, {2}]}, {"a": [1, {3}]}, False),
        ({"a": 1}, {"b": 1}, False),
        ([[1]] * 40, [[1]] * 40, True),
        ([[1]] * 80, [[1]] * 80, False),
        (types.SimpleNamespace(a=1), types.SimpleNamespace(a=1), True),
        (Scope(ScopeKind.TEST, "a"), Scope(ScopeKind.TEST, "a"), True),
        (Scope(ScopeKind.TEST, "a"), Scope(ScopeKind.TEST, "b"), False),
        (lambda: 1, lambda: 1, False),
        (1, True, False),
    ],
)
def test_contents_are_compared_by_what_they_hold(one, other, are_alike):
    left = Left()
    left.add(None, one, ["a"])
    left.add(None, other, ["b"])
    assert len(left.contents) == (1 if are_alike else 2)


def test_after_its_time_nothing_is_recorded(look):
    recording = Recording(look, look.own, until=0)
    run(recording, ScopeKind.TEST, "a", lambda: kept.rates.update(USD=2))
    run(recording, ScopeKind.TEST, "b", lambda: kept.names.append("b"))
    assert recording.is_over
    assert [each.tests for each in recording.traces.values()] == [["a"]]
    assert kept.names == ["a", "b"]


def test_what_a_class_set_on_itself_is_left_to_nobody_when_it_is_over(look):
    recording = Recording(look, look.own)

    def work():
        kept.CaseTests.shared = 1
        run(recording, ScopeKind.TEST, "a", lambda: setattr(kept.CaseTests, "seen", 1))

    run(recording, ScopeKind.CLASS, "of a", work)
    marks = [text for _, text in recording.traces]
    assert marks == ["'seen'"]
    assert not hasattr(kept.CaseTests, "shared")
