"""Caches on memcached: keys of 250 bytes, and what is said about longer ones."""

from contextlib import suppress

import pytest
from django.core.cache.backends.base import InvalidCacheKey
from pymemcache.client.base import Client
from pymemcache.client.rendezvous import RendezvousHash
from pymemcache.exceptions import MemcacheUnexpectedCloseError

from ci_cache_isolation.isolation import notices
from tests.servers import running
from tests.shared_caches import CLASS, OTHER_TEST, TEST, leave, raw_key

pytestmark = pytest.mark.usefixtures("nothing_to_say")

PYMEMCACHE = "django.core.cache.backends.memcached.PyMemcacheCache"
KINDS = [
    "pymemcache",
    pytest.param(
        "pylibmc",
        marks=pytest.mark.filterwarnings("ignore:Exception ignored in PyMapping"),
    ),
]


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.mark.parametrize("length", [230, 235, 236, 240, 247])
def test_a_key_that_fits_without_isolation_fits(sections, kind, opened, length):
    cache, plain = opened(kind), opened(kind, is_isolated=False)
    key, like_it = ("k" * (length - 1) + end for end in "ab")
    plain.set(key, 0)
    with sections.opened(CLASS):
        cache.set(key, 1, 100)
        assert cache.get(key) == 1
        with sections.opened(TEST):
            assert cache.get_many([key, like_it]) == {key: 1}
            assert cache.incr(key) == 2
            assert cache.delete(key)
            cache.set(like_it, 1)
        with sections.opened(OTHER_TEST):
            assert cache.get_many([key, like_it]) == {key: 1}
    assert cache.get(key) is None
    assert plain.get(key) == 0
    plain.delete(key)


@pytest.mark.parametrize("length", [76, 78, 80, 82])
def test_bytes_are_counted_and_not_characters(sections, opened, length):
    cache = opened("pymemcache")
    key = "日" * length
    with sections.opened(CLASS):
        cache.set(key, 1)
        with sections.opened(TEST):
            assert cache.get(key) == 1
            cache.set(key, 2)
        assert cache.get(key) == 1


@pytest.mark.parametrize("key", ["k" * 248, "k" * 300, "a key", "a\nkey", "\x7f"])
def test_an_error_about_a_key_speaks_of_the_users_own(sections, kind, opened, key):
    said = []
    for is_isolated in (False, True):
        cache = opened(kind, is_isolated=is_isolated)
        with sections.opened(TEST), pytest.raises(InvalidCacheKey) as caught:
            cache.get(key)
        said.append(str(caught.value))
    assert said[0] == said[1]
    assert repr(f":1:{key}")[1:-1] in said[0]


def test_a_refused_key_keeps_no_other_from_being_deleted(sections, kind, opened):
    cache = opened(kind)
    with sections.opened(CLASS):
        with sections.opened(TEST):
            cache.set("good", 1)
            name = raw_key(cache, "good")
            with pytest.raises(InvalidCacheKey):
                cache.set("a bad one", 1)
        assert cache._cache.get(name) == 1
    assert cache._cache.get(name) is None


def test_a_section_is_deleted_in_one_round_trip(sections, opened, monkeypatch):
    cache = opened("pymemcache")
    asked = []
    ask = Client._misc_cmd
    monkeypatch.setattr(
        Client, "_misc_cmd", lambda *args: asked.append(args[2]) or ask(*args)
    )
    with sections.opened(TEST):
        for number in range(5):
            cache.set(f"key-{number}", number)
    sections.tidy()
    assert asked == [b"delete"]


def test_where_there_is_one_server_no_key_is_hashed_to_choose_it(opened):
    plain_get_node = RendezvousHash.get_node
    cache = opened("pymemcache")
    hasher = cache._cache.hasher
    hasher.hash_function = None
    cache.set("key", 1)
    assert cache.get("key") == 1
    assert RendezvousHash([]).get_node("key") is None
    several = RendezvousHash(["a", "b", "c"])
    names = [f"key-{number}" for number in range(200)]
    chosen = [several.get_node(name) for name in names]
    assert chosen == [plain_get_node(several, name) for name in names]
    assert set(chosen) == {"a", "b", "c"}


@pytest.mark.parametrize("ignored", [True, False])
def test_what_is_not_deleted_is_not_taken_for_deleted(sections, opened, ignored):
    """pymemcache itself keeps quiet about a server that has failed a while ago."""
    with running("memcached") as server:
        options = {"ignore_exc": ignored, "retry_attempts": 0, "timeout": 1}
        location = server.location
        cache = opened("pymemcache", location=location, OPTIONS=options)
        with sections.opened(TEST):
            cache.set("key", 1)
    notices.take()
    with sections.opened(TEST), suppress(OSError, MemcacheUnexpectedCloseError):
        cache.get("key")
    sections.tidy()
    (notice,) = notices.take()
    assert f"({PYMEMCACHE}, {location}) could not be deleted: " in notice
    leave(sections.stores[0])
    notices.take()
