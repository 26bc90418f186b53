"""Which kind of store a cache has."""

import pytest
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.db import DatabaseCache
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.locmem import LocMemCache

from ci_cache_isolation.isolation.scopes import Scope, ScopeKind
from ci_cache_isolation.isolation.stack import ScopeStack
from ci_cache_isolation.isolation.stores import KINDS, MemoryStore, Store, kind_of
from ci_cache_isolation.isolation.stores.nothing import NothingStore

TEST = Scope(ScopeKind.TEST, "app.tests.Tests.test")


class DerivedLocMemCache(LocMemCache):
    pass


class DerivedDummyCache(DummyCache):
    pass


@pytest.mark.parametrize(
    ("cache_class", "kind"),
    [
        (LocMemCache, MemoryStore),
        (DerivedLocMemCache, MemoryStore),
        (DummyCache, NothingStore),
        (DerivedDummyCache, NothingStore),
        (BaseCache, None),
        (dict, None),
    ],
)
def test_the_kind_of_store_follows_from_the_class_of_the_cache(cache_class, kind):
    assert kind_of(cache_class) is kind


def test_a_class_has_one_kind_of_store_at_most():
    for cache_class in (LocMemCache, DummyCache, FileBasedCache, DatabaseCache):
        assert sum(kind.handles(cache_class) for kind in KINDS) <= 1


def test_every_kind_of_store_has_a_name_of_its_own():
    names = [kind.name for kind in KINDS]
    assert len(set(names)) == len(names)
    assert all(issubclass(kind, Store) for kind in KINDS)


def test_a_cache_that_keeps_nothing_is_left_as_it_is():
    cache = DummyCache("dummy", {})
    before = vars(cache).copy()
    stack = ScopeStack([NothingStore()])
    stack.stores[0].adopt(cache)
    with stack.opened(TEST):
        cache.set("key", 1)
        with stack.at(0):
            cache.set("key", 2)
        assert cache.get("key") is None
    assert vars(cache) == before
    assert stack.path == ()
