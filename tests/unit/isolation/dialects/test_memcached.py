"""What memcached is told of an entry that is copied, and what is told of a key."""

import time

import pytest

from tests.shared_caches import BLOCK, CLASS, TEST
from tests.stopped_clocks import FUTURE, LIBRARIES, PAST

MONTH = 30 * 24 * 60 * 60


class Client:
    """It keeps what it is told, and lets nothing expire."""

    def __init__(self):
        self.told = {}

    def get(self, key, default=None):
        return self.told.get(key, (default,))[0]

    def set(self, key, value, expire):
        self.told[key] = value, expire
        return True

    def add(self, key, value, expire):
        return key not in self.told and self.set(key, value, expire)

    def incr(self, key, delta):
        return None

    def delete_multi(self, keys):
        for key in keys:
            self.told.pop(key, None)


@pytest.fixture
def cache(opened):
    made = opened("pymemcache", is_kept=False)
    made._cache = Client()
    return made


def told(cache, key):
    return cache._cache.told[cache.make_key(key)][1]


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("moment", [PAST, FUTURE], ids=["past", "future"])
@pytest.mark.parametrize("stopped", ["class", "test"])
def test_the_copy_of_an_entry_has_as_long_on_the_servers_clock(
    sections, cache, library, moment, stopped
):
    def store():
        cache.set("second", 1, 1)
        cache.set("month", 1, MONTH)
        cache.set("longer", 1, MONTH + 5)
        cache.set("ever", 1, None)

    def check():
        for scope in (TEST, BLOCK):
            sections.begin(scope)
            for key in ("second", "month", "longer", "ever"):
                assert cache.get(key) == 1
            assert told(cache, "second") == 1
            assert MONTH - 60 < told(cache, "month") <= MONTH
            assert told(cache, "longer") == stored + MONTH + 5
            assert told(cache, "ever") == 0

    with sections.opened(CLASS):
        if stopped == "class":
            with LIBRARIES[library](moment):
                stored = int(time.time())
                store()
            check()
        else:
            stored = int(time.time())
            store()
            stored = told(cache, "longer") - MONTH - 5
            with LIBRARIES[library](moment):
                check()
        sections.move_to((CLASS,))


def test_an_entry_of_which_no_timeout_is_known_has_the_caches_own(sections, cache):
    with sections.opened(CLASS):
        cache.set("key", 1, 50)
        section = cache.make_key("key")
        (space,) = sections.stores[0]._spaces.values()
        del space.expiries[section]
        with sections.opened(TEST):
            assert cache.get("key") == 1
            assert told(cache, "key") == 300


@pytest.mark.parametrize("key", ["key", "k" * 240])
def test_an_error_of_counting_names_the_users_key(sections, opened, cache, key):
    with sections.opened(TEST), pytest.raises(ValueError, match="found") as caught:
        cache.incr(key)
    assert str(caught.value) == f"Key ':1:{key}' not found"
