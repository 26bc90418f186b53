"""Which calls of a cache's methods are logged: the outermost of a backend's own."""

import asyncio

import pytest
from django.core.cache.backends.base import BaseCache

from ci_cache_isolation.evidence.operations import wrap_operations
from ci_cache_isolation.isolation.patches import Patches


class Log:
    def __init__(self):
        self.operations = []

    def is_open(self, cache):
        return True

    def note(self, noting, call):
        self.operations.append(call.operation)

    def site(self):
        return "somewhere"


def new_class():
    """Return a backend whose methods are its own, and call each other."""

    class OwnCache(BaseCache):
        fails = False

        def get(self, key, default=None, version=None):
            if self.fails:
                raise ConnectionError
            return default

        def get_many(self, keys, version=None):
            return {key: self.get(key) for key in keys}

        async def aget(self, key, default=None, version=None):
            return self.get(key, default)

        def set(self, key, value, timeout=None, version=None):
            self.get(key)
            raise ConnectionError

    return OwnCache


@pytest.fixture
def log():
    return Log()


@pytest.fixture
def cache(log):
    patches, cache_class = Patches(), new_class()
    wrap_operations(patches, cache_class, log)
    yield cache_class({})
    patches.undo()


def test_what_a_backend_makes_of_its_own_operations_counts_once(cache, log):
    assert cache.get_many(["a", "b"]) == {"a": None, "b": None}
    assert log.operations == ["get_many"]
    cache.get("a")
    assert log.operations == ["get_many", "get"]


def test_so_it_is_with_coroutines_and_with_what_fails(cache, log):
    assert asyncio.run(cache.aget("a", 1)) == 1
    with pytest.raises(ConnectionError):
        cache.set("a", 1)
    cache.get("a")
    assert log.operations == ["get", "set", "get"]


def test_what_django_makes_of_several_operations_is_left_to_them(cache, log):
    with pytest.raises(ConnectionError):
        cache.set_many({"a": 1})
    assert log.operations == ["set"]


def test_a_get_that_failed_says_nothing_of_the_entry(cache, log, monkeypatch):
    hits = []
    log.look = lambda *about, hit: hits.append(hit)
    monkeypatch.setattr(log, "note", lambda noting, call: noting(call))
    cache.get("a")
    cache.get("a", version=2)
    cache.fails = True
    with pytest.raises(ConnectionError):
        cache.get("a")
    assert hits == [False, False, None]
