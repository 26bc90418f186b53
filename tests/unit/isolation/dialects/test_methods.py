"""What a method does, as far as its code tells."""

import functools
import inspect

import pytest
from django.core.cache import cache, caches
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.dummy import DummyCache

from ci_cache_isolation.isolation.dialects.methods import (
    calls_down,
    extras,
    flushes,
    hands_on,
    makes_keys,
    searches,
)


def decorated(method):
    @functools.wraps(method)
    def call(*args, **kwargs):
        return method(*args, **kwargs)

    return call


class Inner(BaseCache):
    def clear(self):
        self.client.flushdb()


class ByName(Inner):
    def clear(self):
        Inner.clear(self)


class BySuper(ByName):
    @decorated
    def clear(self):
        self.count = 0
        super().clear()


class Alone(BySuper):
    clear = functools.partialmethod(print)
    some = property(print)

    def clear_all(self):
        self.client.drop()

    def evict(self, tag):
        return self._client.evict(tag)

    def pop(self, key):
        return self._popped(key)

    def keys(self, pattern="*"):
        return self.make_key(pattern)

    def _popped(self, key):
        return [self.make_key(each) for each in key]

    def memoize(self):
        def wrap(function):
            return lambda: self.get(function)

        return wrap

    def turn(self):
        return self.turn_back()

    def turn_back(self):
        return self.turn()

    @staticmethod
    def of_nobody():
        """Have nothing to do with any cache."""


@pytest.mark.parametrize(
    ("owner", "expected"),
    [(Inner, False), (ByName, True), (BySuper, True), (Alone, False)],
)
def test_a_method_may_call_the_one_that_it_overrides(owner, expected):
    assert calls_down(owner, "clear") is expected


def test_a_method_may_empty_a_server():
    assert flushes(Inner, "clear")
    assert not flushes(ByName, "clear")
    assert not flushes(Inner, "absent")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("evict", False),
        ("pop", True),
        ("memoize", True),
        ("turn", False),
        ("clear_all", False),
    ],
)
def test_a_method_may_make_keys_by_what_it_calls(name, expected):
    assert makes_keys(Alone, name) is expected


def test_extras_are_what_django_s_caches_have_not(monkeypatch):
    monkeypatch.setattr(Alone, "now", inspect.unwrap, raising=False)
    assert set(extras(Alone)) == {
        *("clear_all", "evict", "keys", "pop", "memoize", "turn", "turn_back")
    }


def test_a_search_has_a_pattern():
    assert searches(Alone, "keys")
    assert not searches(Alone, "pop")


def is_known(_):
    return True


class HandsOn(BaseCache):
    """It has another cache do all."""

    def __init__(self, **held):
        super().__init__({})
        vars(self).update(held)

    def get(self, key, default=None, version=None):
        return self.other.get(key, default, version)

    def clear(self):
        self.other.clear()


class AsksDjango(HandsOn):
    def clear(self):
        caches["default"].clear()


class MakesKeys(HandsOn):
    def get(self, key, default=None, version=None):
        return self.other.get(self.make_key(key, version), default)


@pytest.mark.parametrize(
    "held",
    [
        {"other": DummyCache("", {})},
        {"other": cache},
        {"others": [DummyCache("", {}), cache], "name": "two"},
        {"others": {"one": cache}, "all": caches},
    ],
)
def test_what_holds_caches_and_nothing_else_hands_on(held):
    assert hands_on(HandsOn(**held), is_known)
    assert hands_on(AsksDjango(**held), is_known)
    assert not hands_on(MakesKeys(**held), is_known)


@pytest.mark.parametrize("first", [[], {}, {"key": 1}, object()])
def test_what_may_keep_entries_itself_does_not(first):
    assert not hands_on(HandsOn(other=cache, first=first), is_known)


def test_what_holds_nothing_does_not():
    assert not hands_on(HandsOn(), is_known)


def test_who_asks_django_when_it_is_cleared_hands_on():
    assert hands_on(AsksDjango(), is_known)
    assert not hands_on(AsksDjango(first={}), is_known)


def test_a_cache_that_nobody_else_knows_is_not_handed_on_to():
    made = HandsOn(other=DummyCache("", {}))
    assert not hands_on(made, lambda _: False)
