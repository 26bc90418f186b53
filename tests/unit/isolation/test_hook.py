"""The hook under Django's caches."""

import functools
import threading

import pytest
from django.core.cache import CacheHandler
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.locmem import LocMemCache
from django.utils.functional import SimpleLazyObject

from ci_cache_isolation.isolation import hook
from ci_cache_isolation.isolation.process_state import STATE

LOCMEM = "django.core.cache.backends.locmem.LocMemCache"


@pytest.fixture
def opened():
    """What a watcher of one's own was told, once `hook.watch` is called with it."""
    watching = STATE.watcher, STATE.expect
    # Whatever a test piles upon the method is gone afterwards.
    watched = CacheHandler.create_connection
    hook.unwatch()
    yield Told()
    CacheHandler.create_connection = watched
    STATE.watcher, STATE.expect = watching


class Told(list):
    """Aliases and caches, as a watcher is told of them."""

    def __call__(self, alias, cache):
        self.append((alias, cache))


@pytest.fixture
def handler():
    return CacheHandler(
        {"default": {"BACKEND": LOCMEM, "LOCATION": "hook"}, "broken": {"BACKEND": "x"}}
    )


def wrap(*, well_behaved):
    """Wrap the method as other packages do; return what their wrapper saw."""
    original, seen = CacheHandler.create_connection, []

    def create_connection(self, alias):
        seen.append(alias)
        return original(self, alias)

    if well_behaved:
        create_connection = functools.wraps(original)(create_connection)
    CacheHandler.create_connection = create_connection
    return seen


def test_a_watcher_is_told_of_every_cache_that_is_opened(opened, handler):
    hook.watch(opened)
    cache = handler["default"]
    assert isinstance(cache, LocMemCache)
    assert opened == [("default", cache)]


def test_a_cache_that_is_open_is_not_told_again(opened, handler):
    hook.watch(opened)
    assert handler["default"] is handler["default"]
    assert len(opened) == 1


def test_every_thread_opens_a_cache_of_its_own(opened, handler):
    hook.watch(opened)
    here = handler["default"]
    thread = threading.Thread(target=lambda: handler["default"])
    thread.start()
    thread.join()
    assert [alias for alias, _ in opened] == ["default", "default"]
    assert opened[0][1] is here
    assert opened[1][1] is not here


def test_an_alias_that_cannot_be_opened_fails_as_without_the_hook(opened, handler):
    with pytest.raises(handler.exception_class) as plain:
        handler["broken"]
    hook.watch(opened)
    with pytest.raises(handler.exception_class) as watched:
        handler["broken"]
    assert str(watched.value) == str(plain.value)
    assert opened == []


def test_nobody_is_told_after_unwatch(opened, handler):
    original = CacheHandler.create_connection
    hook.watch(opened)
    assert CacheHandler.create_connection is not original
    hook.unwatch()
    assert CacheHandler.create_connection is original
    handler["default"].set("key", 1)
    assert opened == []


def test_unwatching_twice_does_nothing(opened):
    original = CacheHandler.create_connection
    hook.unwatch()
    hook.unwatch()
    assert CacheHandler.create_connection is original


def test_watching_twice_tells_the_later_watcher_only(opened, handler):
    earlier = Told()
    hook.watch(earlier)
    hook.watch(opened)
    assert handler["default"]
    assert len(opened) == 1
    assert earlier == []


@pytest.mark.parametrize("well_behaved", [True, False])
def test_a_wrapper_that_came_before_is_called_and_stays(opened, handler, well_behaved):
    seen = wrap(well_behaved=well_behaved)
    theirs = CacheHandler.create_connection
    hook.watch(opened)
    assert handler["default"]
    assert seen == ["default"]
    assert len(opened) == 1
    hook.unwatch()
    assert CacheHandler.create_connection is theirs


@pytest.mark.parametrize("well_behaved", [True, False])
def test_a_wrapper_that_came_after_is_called_and_stays(opened, handler, well_behaved):
    hook.watch(opened)
    seen = wrap(well_behaved=well_behaved)
    theirs = CacheHandler.create_connection
    assert handler["default"]
    assert seen == ["default"]
    assert len(opened) == 1
    hook.unwatch()
    assert CacheHandler.create_connection is theirs
    del handler["default"]
    assert handler["default"]
    assert seen == ["default", "default"]
    assert len(opened) == 1


@pytest.mark.parametrize("well_behaved", [True, False])
def test_watching_again_above_another_wrapper_tells_once(opened, handler, well_behaved):
    hook.watch(opened)
    wrap(well_behaved=well_behaved)
    hook.unwatch()
    hook.watch(opened)
    assert handler["default"]
    assert len(opened) == 1


@pytest.mark.parametrize("well_behaved", [True, False])
def test_wrappers_on_both_sides_are_called_once_each(opened, handler, well_behaved):
    below = wrap(well_behaved=well_behaved)
    hook.watch(opened)
    above = wrap(well_behaved=well_behaved)
    hook.watch(opened)
    assert handler["default"]
    assert (below, above, len(opened)) == (["default"], ["default"], 1)


@pytest.mark.parametrize("well_behaved", [True, False])
def test_watching_again_works_where_an_earlier_wrapper_was_taken_away(
    opened, handler, well_behaved
):
    plain = CacheHandler.create_connection
    wrap(well_behaved=well_behaved)
    hook.watch(opened)
    # Whoever had wrapped it first puts back what was there, and ours is gone too.
    CacheHandler.create_connection = plain
    hook.watch(opened)
    assert handler["default"]
    assert len(opened) == 1


def test_a_wrapper_may_replace_the_cache_that_is_opened(opened, handler):
    replaced = DummyCache("dummy", {})
    original = CacheHandler.create_connection
    CacheHandler.create_connection = lambda self, alias: replaced
    try:
        hook.watch(opened)
        assert handler["default"] is replaced
    finally:
        hook.unwatch()
        CacheHandler.create_connection = original
    assert opened == [("default", replaced)]


def test_all_living_caches_are_found_whoever_holds_them():
    held = {"deep": [LocMemCache("found", {}), DummyCache("found", {})]}
    found = list(hook.live_caches())
    assert all(any(each is cache for each in found) for cache in held["deep"])
    assert not any(isinstance(each, dict) for each in found)


def test_looking_for_caches_wakes_no_lazy_object():
    woken = []
    lazy = SimpleLazyObject(lambda: woken.append(1))
    assert not any(each is lazy for each in hook.live_caches())
    assert woken == []


def test_looking_for_caches_asks_no_object_for_its_class():
    class Disguised:
        @property
        def __class__(self):
            raise RuntimeError

    disguised = Disguised()
    assert not any(each is disguised for each in hook.live_caches())
