"""Sections of memory caches: put aside, and put back in place."""

import gc
import threading
import uuid
import weakref
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor

import pytest
import time_machine
from django.core.cache import caches
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.locmem import LocMemCache
from django.test import override_settings

from ci_cache_isolation import isolated
from ci_cache_isolation.isolation.scopes import Scope, ScopeKind
from ci_cache_isolation.isolation.stores import name_for
from ci_cache_isolation.isolation.stores.snapshots import Snapshot

LOCMEM = "django.core.cache.backends.locmem.LocMemCache"
CLASS = Scope(ScopeKind.CLASS, "app.tests.Tests")
TEST = Scope(ScopeKind.TEST, "app.tests.Tests.test")
_entries = OrderedDict()
_expiries = {}
_lock = threading.Lock()


class OwnLocMemCache(LocMemCache):
    """Every instance has dictionaries of its own."""

    def __init__(self, name, params):
        super().__init__(name, params)
        self._cache, self._expire_info = OrderedDict(), {}
        self._lock = threading.Lock()


class SharedLocMemCache(LocMemCache):
    """All instances share dictionaries that Django doesn't know."""

    def __init__(self, name, params):
        super().__init__(name, params)
        self._cache, self._expire_info, self._lock = _entries, _expiries, _lock


class BareLocMemCache(LocMemCache):
    """What a subclass may look like that stores in a way of its own."""

    def __init__(self, name, params):
        self._cache = {}

    def get(self, key, default=None, version=None):
        return self._cache.get(key, default)

    def set(self, key, value, timeout=None, version=None):
        self._cache[key] = value


class FilledLocMemCache(OwnLocMemCache):
    """It holds an entry from the beginning."""

    def __init__(self, name, params):
        super().__init__(name, params)
        self.set("filled", 1)


@pytest.fixture
def configured():
    """CACHES with a memory that nothing else knows."""
    return {"default": {"BACKEND": LOCMEM, "LOCATION": uuid.uuid4().hex}}


def raw(cache):
    """Return all that a cache holds, in its order."""
    return list(cache._cache.items()), dict(cache._expire_info)


@pytest.mark.parametrize(
    ("cache_class", "expected"),
    [(LocMemCache, True), (OwnLocMemCache, True), (DummyCache, False), (dict, False)],
)
def test_memory_caches_are_known_by_their_class(cache_class, expected):
    assert (name_for(cache_class) == "memory") is expected


def test_contents_are_put_back_in_place(stack, new_cache):
    cache = new_cache()
    entries, expiries = cache._cache, cache._expire_info
    cache.set("key", 1)
    with stack.opened(TEST):
        cache.clear()
    assert cache._cache is entries
    assert cache._expire_info is expiries
    assert cache.get("key") == 1


def test_a_cache_held_since_before_is_isolated_like_a_new_one(stack, new_cache):
    held = new_cache()
    with stack.opened(TEST):
        new_cache().set("key", 1)
        assert held.get("key") == 1
        held.set("other", 1)
    assert held.get_many(["key", "other"]) == {}
    assert new_cache().get_many(["key", "other"]) == {}


def test_a_thread_sees_the_section_of_the_test(stack, new_cache):
    with ThreadPoolExecutor(1) as thread:
        its_cache = thread.submit(new_cache).result()
        cache = new_cache()
        cache.set("before", 1)
        with stack.opened(TEST):
            cache.set("key", 1)
            assert thread.submit(its_cache.get, "key").result() == 1
            thread.submit(its_cache.set, "of-thread", 1).result()
            thread.submit(its_cache.delete, "before").result()
            assert cache.get_many(["before", "of-thread"]) == {"of-thread": 1}
        assert thread.submit(its_cache.get_many, ["key", "of-thread"]).result() == {}
        assert thread.submit(its_cache.get, "before").result() == 1


def test_threads_that_write_while_sections_change_lose_nothing_else(stack, new_cache):
    cache = new_cache(max_entries=10_000)
    cache.set("kept", 1)
    stop = threading.Event()

    def write():
        number = 0
        while not stop.is_set():
            number += 1
            cache.set(f"key-{number % 100}", number)

    with ThreadPoolExecutor(2) as threads:
        writing = [threads.submit(write) for _ in range(2)]
        for _ in range(200):
            with stack.opened(TEST):
                assert cache.get("kept") == 1
        stop.set()
        assert [each.result() for each in writing] == [None, None]
    assert cache.get("kept") == 1
    assert set(cache._cache) == set(cache._expire_info)


def test_expiry_times_are_put_back_exactly(stack, new_cache):
    cache = new_cache()
    for key, timeout in (("soon", 10), ("later", 1000), ("never", None), ("past", -1)):
        cache.set(key, 1, timeout)
    before = raw(cache)
    with stack.opened(TEST):
        assert raw(cache) == before
        cache.touch("soon", None)
        cache.touch("never", 0)
        cache.set("later", 1, 5)
        # Reading what has expired removes it.
        assert cache.get("past") is None
        assert raw(cache) != before
    assert raw(cache) == before


def test_the_order_of_use_is_put_back(stack, new_cache):
    cache = new_cache()
    cache.set_many(dict.fromkeys("abc", 1))
    before = raw(cache)
    with stack.opened(TEST):
        assert list(cache._cache) == [":1:c", ":1:b", ":1:a"]
        cache.get("a")
        assert list(cache._cache) == [":1:a", ":1:c", ":1:b"]
    assert raw(cache) == before


def test_culling_takes_what_it_would_take_without_isolation(stack, new_cache):
    cache = new_cache(max_entries=4, cull_frequency=2)
    for key in "abcd":
        cache.set(key, 1)
    for _ in range(2):
        with stack.opened(TEST):
            cache.get("a")
            cache.set("e", 1)
            assert list(cache.get_many("abcde")) == ["a", "d", "e"]
    assert list(cache.get_many("abcde")) == list("abcd")


def test_versions_and_prefixes_are_isolated_too(stack, new_cache):
    cache = new_cache(KEY_PREFIX="of-test", VERSION=3)
    with stack.opened(TEST):
        cache.set("key", 1)
        cache.set("key", 1, version=4)
        cache.incr_version("key")
        assert cache.get("key", version=4) == 1
    assert raw(cache) == ([], {})


def test_all_caches_of_one_location_share_its_section(stack, new_cache):
    one, other, elsewhere = new_cache(), new_cache(VERSION=2), new_cache("elsewhere")
    elsewhere.set("key", 1)
    with stack.opened(TEST):
        one.set("key", 1)
        other.set("key", 1)
        elsewhere.delete("key")
    assert raw(one) == raw(other) == ([], {})
    assert elsewhere.get("key") == 1


def test_a_cache_first_opened_in_a_scope_is_emptied_at_its_end(stack, new_cache):
    with stack.opened(TEST):
        cache = new_cache()
        cache.set("key", 1)
    assert raw(cache) == ([], {})


def test_a_cache_first_opened_in_an_inner_scope_is_emptied_there(stack, new_cache):
    with stack.opened(TEST):
        with stack.opened(TEST):
            cache = new_cache()
            cache.set("inner", 1)
        assert cache.get("inner") is None
        cache.set("outer", 1)
        with stack.opened(TEST):
            assert cache.get("outer") == 1
    assert raw(cache) == ([], {})


@pytest.mark.parametrize("cache_class", [OwnLocMemCache, SharedLocMemCache])
def test_a_cache_with_dictionaries_of_its_own_is_isolated(
    stack, new_cache, cache_class
):
    cache = new_cache(cache_class=cache_class)
    stack.stores[0].adopt("alias", cache)
    cache.set("key", 1)
    before = raw(cache)
    with stack.opened(TEST):
        cache.clear()
        cache.set("other", 1)
    assert raw(cache) == before
    cache.clear()


@pytest.mark.parametrize("cache_class", [OwnLocMemCache, SharedLocMemCache])
def test_a_cache_with_dictionaries_of_its_own_first_opened_in_a_scope_is_emptied(
    stack, new_cache, cache_class
):
    with stack.opened(TEST):
        cache = new_cache(cache_class=cache_class)
        stack.stores[0].adopt("alias", cache)
        cache.set("key", 1)
    assert raw(cache) == ([], {})


def test_an_entry_survives_the_cache_object_that_stored_it(stack, new_cache):
    cache = new_cache(cache_class=SharedLocMemCache)
    stack.stores[0].adopt("alias", cache)
    cache.set("of-class", 1)
    with stack.opened(TEST):
        # As when override_settings(CACHES=...) lets all aliases be opened anew.
        first, cache = cache, new_cache(cache_class=SharedLocMemCache)
        stack.stores[0].adopt("alias", cache)
        del first
        gc.collect()
        assert cache.get("of-class") == 1
    assert cache.get("of-class") == 1
    cache.clear()


def test_an_entry_goes_though_the_cache_object_that_stored_it_went_first(
    stack, new_cache
):
    with stack.opened(TEST):
        cache = new_cache(cache_class=SharedLocMemCache)
        stack.stores[0].adopt("alias", cache)
        cache.set("of-test", 1)
        del cache
        gc.collect()
    cache = new_cache(cache_class=SharedLocMemCache)
    stack.stores[0].adopt("alias", cache)
    found = cache.get("of-test")
    cache.clear()
    assert found is None


def test_dictionaries_that_nobody_can_reach_any_more_are_let_go(stack, new_cache):
    with stack.opened(TEST):
        cache = new_cache(cache_class=OwnLocMemCache)
        stack.stores[0].adopt("alias", cache)
        cache.set("key", 1)
        entries = weakref.ref(cache._cache)
        del cache
        gc.collect()
    gc.collect()
    assert entries() is None


def test_a_cache_may_be_opened_by_a_thread_while_sections_change(stack, new_cache):
    store = stack.stores[0]
    opened = [new_cache(cache_class=OwnLocMemCache) for _ in range(3)]
    for cache in opened[:2]:
        store.adopt("alias", cache)
    found = []
    for _, entries, _, _ in store._memories():
        found.append(entries)
        if entries is opened[0]._cache:
            store.adopt("alias", opened[2])
    assert all(any(each is cache._cache for each in found) for cache in opened[:2])


def test_what_a_private_cache_brings_along_stays(stack, new_cache):
    with stack.opened(TEST):
        cache = new_cache(cache_class=FilledLocMemCache)
        stack.stores[0].adopt("alias", cache)
        cache.set("of-test", 1)
    assert cache.get_many(["filled", "of-test"]) == {"filled": 1}


def test_a_subclass_that_stores_otherwise_is_left_alone(stack, new_cache):
    cache = new_cache(cache_class=BareLocMemCache)
    stack.stores[0].adopt("alias", cache)
    with stack.opened(TEST):
        cache.set("key", 1)
    assert stack.path == ()
    assert cache.get("key") == 1


def test_an_alias_of_a_subclass_is_adopted_when_it_is_opened(isolation):
    backend = f"{__name__}.SharedLocMemCache"
    with override_settings(CACHES={"default": {"BACKEND": backend}}):
        with isolated():
            caches["default"].set("key", 1)
        found = caches["default"].get("key")
        caches["default"].clear()
    assert found == (None if isolation else 1)


def test_caches_configured_for_a_test_are_isolated(isolation, configured):
    found = []
    for _ in range(2):
        with isolated(), override_settings(CACHES=configured):
            found.append(caches["default"].get("key"))
            caches["default"].set("key", 1)
    assert found == [None, None if isolation else 1]


def test_a_section_spans_the_beginning_and_the_end_of_an_override(
    stack, new_cache, configured
):
    cache = new_cache()
    cache.set("before", 1)
    with stack.opened(TEST):
        cache.set("before", 2)
        with override_settings(CACHES=configured):
            caches["default"].set("key", 1)
            cache.set("within", 1)
        cache.set("after", 1)
    assert cache.get_many(["before", "within", "after"]) == {"before": 1}
    with override_settings(CACHES=configured):
        assert caches["default"].get("key") is None


def test_copies_of_a_memory_are_equal_if_they_hold_the_same():
    kept = Snapshot({"key": b"1"}, {"key": None})
    assert kept == Snapshot({"key": b"1"}, {"key": None})
    assert kept != Snapshot({"key": b"2"}, {"key": None})
    assert kept != Snapshot({"key": b"1"}, {"key": 1.0})
    assert kept != ({"key": b"1"}, {"key": None})


@pytest.mark.parametrize(
    "write",
    [
        lambda cache: cache.set("key", 1, None),
        lambda cache: cache.set_many({"key": 1}, None),
        lambda cache: cache.touch("renewed", 1000),
    ],
)
def test_what_is_written_in_a_visit_as_it_was_reaches_inner_scopes(
    stack, new_cache, write
):
    """Also where nothing tells it from what was there but that it was written."""
    cache = new_cache()
    with time_machine.travel(0, tick=False):
        cache.set("key", 1, None)
        cache.set("renewed", 1, 1000)
        stack.begin(CLASS)
        stack.begin(TEST)
        cache.clear()
        with stack.at(0):
            assert cache.get("key") == 1
        assert cache.get_many(["key", "renewed"]) == {}
        with stack.at(0):
            write(cache)
        assert list(cache.get_many(["key", "renewed"]).values()) == [1]
