"""Which kind of store a cache has."""

import pytest
from django.core.cache.backends.db import DatabaseCache
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.memcached import PyMemcacheCache
from django.core.cache.backends.redis import RedisCache

from ci_cache_isolation.isolation.scopes import Scope, ScopeKind
from ci_cache_isolation.isolation.stack import ScopeStack
from ci_cache_isolation.isolation.stores import STORES, Store, name_for, store_class
from ci_cache_isolation.isolation.stores.unmanaged import UnmanagedStore

TEST = Scope(ScopeKind.TEST, "app.tests.Tests.test")


class DerivedLocMemCache(LocMemCache):
    pass


class DerivedDummyCache(DummyCache):
    pass


@pytest.mark.parametrize(
    ("cache_class", "name"),
    [
        (LocMemCache, "memory"),
        (DerivedLocMemCache, "memory"),
        (DummyCache, "none"),
        (DerivedDummyCache, "none"),
        (FileBasedCache, "files"),
        (DatabaseCache, "keyspace"),
        (RedisCache, "keyspace"),
        (PyMemcacheCache, "keyspace"),
        (dict, None),
    ],
)
def test_the_store_follows_from_the_class_of_the_cache(cache_class, name):
    assert name_for(cache_class) == name


@pytest.mark.parametrize("name", STORES)
def test_every_store_is_found_by_its_names(name):
    assert issubclass(store_class(name), Store)
    assert name in store_class(name).names


def test_a_cache_that_keeps_nothing_is_left_as_it_is():
    cache = DummyCache("dummy", {})
    before = vars(cache).copy()
    stack = ScopeStack([UnmanagedStore()])
    stack.stores[0].adopt("dummy", cache)
    with stack.opened(TEST):
        cache.set("key", 1)
        with stack.at(0):
            cache.set("key", 2)
        assert cache.get("key") is None
    assert vars(cache) == before
    assert stack.path == ()
