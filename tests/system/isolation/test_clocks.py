"""Entries expire as plainly where tests stop the clock, on servers and in processes."""

from contextlib import nullcontext

import pytest
from django.core.cache.backends.locmem import LocMemCache

from ci_cache_isolation.isolation.stack import ScopeStack
from ci_cache_isolation.isolation.stores.memory import MemoryStore
from tests.shared_caches import BLOCK, CLASS, KIND_PARAMS, TEST
from tests.stopped_clocks import FUTURE, LIBRARIES, PAST

pytestmark = pytest.mark.usefixtures("nothing_to_say")

MOMENTS = {"now": None, "past": PAST, "future": FUTURE}
# Where the clock is stopped: while the class is set up, and while the test runs.
PLACES = [
    (in_class, in_test)
    for in_class in MOMENTS
    for in_test in MOMENTS
    if (in_class, in_test) != ("now", "now")
]
TIMEOUTS = {"seconds": 100, "months": 10**7, "ever": None}


@pytest.fixture(params=LIBRARIES)
def at(request):
    """Stop the clock at a moment, if that is one."""
    stopped = LIBRARIES[request.param]

    def at_moment(name):
        return nullcontext() if MOMENTS[name] is None else stopped(MOMENTS[name])

    return at_moment


def seen(scopes, cache, at):
    """Store entries in a class for each place; return what its tests see of them."""
    found = {}
    for in_class, in_test in PLACES:
        with scopes.opened(CLASS):
            with at(in_class):
                cache.set_many({"many": 1}, 100)
                for name, timeout in TIMEOUTS.items():
                    cache.set(name, 1, timeout)
                    cache.add(f"added-{name}", 1, timeout)
            with scopes.opened(TEST), at(in_test):
                keys = ["many", *TIMEOUTS, *(f"added-{name}" for name in TIMEOUTS)]
                first = [cache.get(key) for key in keys]
                with scopes.opened(BLOCK):
                    found[in_class, in_test] = first, cache.get_many(keys)
        cache.delete_many(keys)
    return found


@pytest.mark.parametrize("kind", KIND_PARAMS)
def test_under_a_stopped_clock_entries_are_seen_as_without_isolation(
    sections, kind, opened, at
):
    isolated = seen(sections, opened(kind), at)
    assert isolated == seen(ScopeStack([]), opened(kind, is_isolated=False), at)


def test_entries_in_memory_are_seen_as_without_isolation(at):
    scopes = ScopeStack([MemoryStore()])
    isolated = seen(scopes, LocMemCache("stopped", {}), at)
    assert isolated == seen(ScopeStack([]), LocMemCache("plain", {}), at)


def test_a_second_of_the_class_is_not_cut_down_to_nothing_on_memcached(
    sections, opened
):
    cache = opened("pymemcache")
    # memcached counts ticks of its own: the second itself may be short.
    for _ in range(5):
        with sections.opened(CLASS):
            cache.set("key", 1, 1)
            with sections.opened(TEST):
                found = cache.get("key")
            if found or cache.get("key"):
                break
    assert found == 1
