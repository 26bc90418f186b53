"""A report: a line for each promise, the same in JSON, and what to do."""

import json

import pytest

from ci_cache_isolation.probing.comparing import Difference
from ci_cache_isolation.probing.promises import (
    Probed,
    ProbedAlias,
    Promise,
    Report,
    State,
)

BACKEND = "django.core.cache.backends.redis.RedisCache"
ABOUT = ProbedAlias(
    "default",
    BACKEND,
    "redis://localhost",
    "keyspace",
    ("keyspace", "private-server", "none"),
)
KEPT = Promise.held(1, "scopes", "a test sees what its class stored", [], 3)
BROKEN = Promise.held(
    5, "calls", "calls do", [Difference("", f"get({n})", "1", "2") for n in range(5)]
)
NOT_PROBED = Promise(4, "clear", "clear() does", State.NOT_PROBED, reason="it can't be")


def test_a_promise_is_kept_until_there_is_a_difference():
    assert KEPT.state is State.KEPT
    assert BROKEN.state is State.BROKEN


def test_each_promise_has_its_line_and_a_broken_one_a_few_more():
    probed = Probed(ABOUT, "in a place", (KEPT, BROKEN, NOT_PROBED), ("evict",))
    assert [*probed.lines()] == [
        "cache 'default': keyspace",
        f"    {BACKEND} redis://localhost",
        "    probed in a place",
        "    ok          1  a test sees what its class stored",
        "    BROKEN      5  calls do",
        "                   get(0) gives 1, plainly 2",
        "                   get(1) gives 1, plainly 2",
        "                   get(2) gives 1, plainly 2",
        "                   and 2 more (--json)",
        "    not probed  4  clear() does",
        "                   it can't be",
        "    not probed: evict (what they would reach can't be known)",
        f"    what to do: {probed.advice}",
    ]


def test_what_could_not_be_reached_is_said():
    probed = Probed(ABOUT, failure="can't be reached: refused")
    assert [*probed.lines()][2:] == ["    can't be reached: refused"]
    assert not Report((probed,)).is_whole
    assert not Report((probed,)).is_broken


def test_what_is_left_alone_on_purpose_is_whole():
    probed = Probed(ABOUT, left_alone="it keeps nothing")
    assert [*probed.lines()][2:] == ["    not probed: it keeps nothing"]
    assert Report((probed,)).is_whole


@pytest.mark.parametrize(
    ("store", "possible", "advice"),
    [
        ("keyspace", ABOUT.possible, "'private-server'}"),
        ("private-server", ABOUT.possible, "'none'}"),
        ("keyspace", ("keyspace", "none"), "'none'}"),
        (None, ("none",), "use LocMemCache"),
    ],
)
def test_what_to_do_depends_on_what_is_possible(store, possible, advice):
    about = ProbedAlias("default", "", "", store, possible)
    assert advice in Probed(about, "", (BROKEN,)).advice
    assert Probed(about, "", (KEPT, NOT_PROBED)).advice == ""


def test_words_alone_are_no_reason_to_change_anything():
    words = Promise.held(5, "words", "words", [*BROKEN.differences])
    assert "leave it so" in Probed(ABOUT, "", (KEPT, words)).advice


def test_json_holds_all_of_it():
    report = Report((Probed(ABOUT, "in a place", (KEPT, BROKEN), ("evict",)),))
    written = json.loads(json.dumps(report.to_json()))
    (cache,) = written["caches"]
    assert written["schema"] == 1
    assert (cache["alias"], cache["store"]) == ("default", "keyspace")
    assert cache["not_called"] == ["evict"]
    kept, broken = cache["promises"]
    assert (kept["number"], kept["name"], kept["state"]) == (1, "scopes", "kept")
    assert (broken["state"], len(broken["differences"])) == ("broken", 5)
    assert report.is_broken
