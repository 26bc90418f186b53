"""A subclass of LocMemCache that keeps more than LocMemCache's two dictionaries."""

import uuid

import pytest
from django.core.cache.backends.locmem import LocMemCache

from ci_cache_isolation.isolation.scopes import Scope, ScopeKind
from ci_cache_isolation.isolation.stack import ScopeStack
from ci_cache_isolation.isolation.stores.memory import MemoryStore
from tests.kit import Kit

CLASS = Scope(ScopeKind.CLASS, "app.tests.Tests")
TEST = Scope(ScopeKind.TEST, "app.tests.Tests.test")
OTHER_TEST = Scope(ScopeKind.TEST, "app.tests.Tests.test_other")


class CollectingCache(LocMemCache):
    """It keeps living lists in a third dictionary, beside LocMemCache's two."""

    lists = {}  # noqa: RUF012 - for all objects, as LocMemCache's own are

    def __init__(self, name, params):
        super().__init__(name, params)
        self._lists = self.lists.setdefault(name, {})

    def push(self, key, value):
        with self._lock:
            self._lists.setdefault(self.make_key(key), []).append(value)

    def all(self, key):
        with self._lock:
            return list(self._lists.get(self.make_key(key), ()))

    def clear(self):
        super().clear()
        self._lists.clear()


@pytest.fixture
def sections():
    return ScopeStack([MemoryStore()])


@pytest.fixture
def cache(sections):
    cache = CollectingCache(uuid.uuid4().hex, {})
    assert sections.stores[0].adopt("default", cache)
    return cache


def test_what_a_test_does_to_them_is_undone(sections, cache):
    with sections.opened(CLASS):
        cache.push("of-class", 1)
        for test in (TEST, OTHER_TEST):
            with sections.opened(test):
                assert cache.all("of-class") == [1]
                cache.push("of-class", 2)
                cache.push("of-test", 3)
                assert cache.all("of-class") == [1, 2]
                if test is TEST:
                    cache.clear()
                    assert cache.all("of-class") == []
        assert (cache.all("of-class"), cache.all("of-test")) == ([1], [])
    assert cache.all("of-class") == []


def test_tests_in_a_row_begin_alike(sections, cache):
    cache.push("key", 1)
    sections.begin(TEST)
    for _ in range(3):
        assert cache.all("key") == [1]
        cache.push("key", 2)
        assert sections.follow(sections.innermost, TEST)


def test_a_value_that_nobody_changed_stays_the_same_object(sections, cache):
    cache.push("key", 1)
    before = cache._lists[cache.make_key("key")]
    with sections.opened(TEST):
        cache.all("key")
    assert cache._lists[cache.make_key("key")] is before


def test_what_can_t_be_pickled_is_kept_as_it_is(sections, cache):
    cache.push("key", lambda: None)
    before = cache.all("key")
    with sections.opened(TEST):
        cache._lists.clear()
    assert cache.all("key") == before


def test_a_wider_fixture_reaches_them(sections, cache):
    sections.move_to((CLASS, TEST))
    cache.push("of-test", 1)
    with sections.at(1):
        assert cache.all("of-test") == []
        cache.push("of-class", 2)
    assert (cache.all("of-class"), cache.all("of-test")) == ([2], [1])
    sections.move_to((CLASS,))
    assert (cache.all("of-class"), cache.all("of-test")) == ([2], [])


def test_the_kit_finds_nothing_broken(sections, cache):
    scopes = {"class": CLASS, "test": TEST}
    plain = CollectingCache(uuid.uuid4().hex, {})
    kit = Kit(plain, cache, lambda name: sections.opened(scopes[name]))
    assert kit.broken() == []
