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
    return Look(only={kept.__name__})


def run(listener, kind, name, work=lambda: None):
    scope = Scope(kind, name)
    listener.began(scope)
    work()
    listener.is_ending(scope)


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
    assert kept.rates == {"EUR": 1}
