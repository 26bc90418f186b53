"""Programs are played on a cache, and nothing that happens ends them."""

import threading
import time
import warnings
from collections import deque

import pytest
from django.core.cache import caches
from django.core.cache.backends.locmem import LocMemCache

from ci_cache_isolation.probing.outcomes import Outcome
from ci_cache_isolation.probing.playing import Player
from ci_cache_isolation.probing.steps import (
    At,
    Call,
    Clear,
    Clock,
    InThread,
    Key,
    Race,
    Wait,
    awaited,
    call,
    reads,
)

A, B = Key("a"), Key("b")


@pytest.fixture
def player():
    made = Player("default", "p123456-", is_plain=True)
    yield made
    made.close()


@pytest.fixture
def cache(monkeypatch):
    """Give the class of the cache what a test adds to it."""

    def add(**methods):
        for name, method in methods.items():
            monkeypatch.setattr(LocMemCache, name, method, raising=False)

    return add


def values(outcomes):
    return [each.error or each.value for each in outcomes]


def test_calls_are_made_with_keys_behind_the_token(player):
    played = player.play((call("set", A, 1), call("get", A), call("__contains__", A)))
    assert played == [
        Outcome("set('a', 1)", "None"),
        Outcome("get('a')", "1"),
        Outcome("__contains__('a')", "True"),
    ]
    assert caches["default"].get("p123456-a") == 1


def test_an_error_is_an_outcome(player):
    (played,) = player.play((call("incr", A),))
    assert played.error == "ValueError: Key ':1:a' not found"


def test_warnings_are_part_of_an_outcome(player):
    (played,) = player.play((call("set", Key("with space"), 1),))
    (warning,) = played.warnings
    assert warning == (
        "CacheKeyWarning: Cache key contains characters that will cause errors if "
        "used with memcached: ':1:with space'"
    )


def test_asynchronous_calls_are_awaited(player):
    assert values(player.play((awaited("aset", A, 1), awaited("aget", A)))) == [
        "None",
        "1",
    ]


def test_methods_that_are_coroutines_are_awaited(player, cache):
    async def get(self, key, default=None, version=None):
        return "awaited"

    cache(get=get)
    assert player.is_async
    assert values(player.play((call("get", A), InThread((call("get", A),))))) == [
        "'awaited'"
    ]


def test_threads_open_the_alias_for_themselves(player, cache):
    seen = []
    cache(who=lambda self: seen.append((threading.get_ident(), id(self))))
    player.play((call("who"), InThread((call("who"),))))
    (thread, opened), (other_thread, other) = seen
    assert thread != other_thread
    assert opened != other


def test_threads_at_once_are_one_outcome_with_all_their_errors(player):
    (played,) = player.play((Race(((call("incr", A),), (call("set", B, 1),))),))
    error = "ValueError: Key ':1:a' not found"
    assert played == Outcome("2 threads at once", error=error)


def test_a_clock_stands_while_its_steps_are_played(player, cache):
    cache(now=lambda self: time.time())
    played = player.play((Clock(-86_400, (call("now"), call("now"))),))
    assert played[0] == played[1]
    assert float(played[0].value) < time.time() - 80_000


def test_moments_are_counted_from_the_call(player, cache):
    cache(left=lambda self, when: round(when - time.time(), -1))
    assert values(player.play((call("left", At(30)),))) == ["30.0"]


def test_what_is_left_of_a_time_is_a_number(player, cache):
    cache(ttl=lambda self, key: 29)
    (played,) = player.play((Call("ttl", (A,), is_rough=True),))
    assert (played.value, played.about) == ("", 29.0)


def test_plain_clearing_deletes_what_was_used_and_nothing_else(player):
    caches["default"].set("theirs", 1)
    played = player.play(
        (call("set", A, 1), call("set", B, 1, version=2), Clear(), *reads("a"))
    )
    assert played[-1].value == "'nothing'"
    assert caches["default"].get("p123456-b", version=2) is None
    assert caches["default"].get("theirs") == 1


def test_isolated_clearing_is_the_caches_own(cache):
    cache(clear=lambda self: seen.append("cleared"))
    seen = []
    player = Player("default", "p123456-", is_plain=False)
    assert player.play((Clear(),)) == [Outcome("clear()", "None")]
    player.close()
    assert seen == ["cleared"]


def test_locks_are_taken_and_given_back(player, cache):
    cache(lock=lambda self, key: threading.Lock())
    (played,) = player.play((call("lock", A),))
    assert played.value == "('lock', True)"


def test_lists_and_dictionaries_that_a_backend_keeps_are_added_to(player, cache):
    class Kept(deque):
        pass

    class Index(dict):
        pass

    kept, index = Kept(["before"]), Index()
    cache(deque=lambda self, name: kept, index=lambda self, name: index)
    played = player.play((call("deque", A), call("index", A)))
    assert values(played) == ["('Kept', ['before'])", "('Index', {})"]
    assert list(kept) == ["before", "added"]
    assert index == {"added": 1}


def test_waiting_takes_its_time(player, monkeypatch):
    waited = []
    monkeypatch.setattr(time, "sleep", waited.append)
    assert player.play((Wait(3.2),)) == []
    assert waited == [3.2]


def test_no_warning_is_lost_that_an_error_filter_would_raise(player):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (played,) = player.play((call("set", Key("with space"), 1),))
    assert played.error == ""
    assert len(played.warnings) == 1
