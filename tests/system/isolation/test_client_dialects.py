"""What django-redis and django-valkey can do beyond Django's own methods."""

import asyncio

import pytest
from django_valkey.client import DefaultClient
from django_valkey.commands.hash import HashCommands

from tests.shared_caches import BLOCK, CLASS, OTHER_TEST, TEST

pytestmark = pytest.mark.usefixtures("nothing_to_say")

HASHES_ARE_DEPRECATED = pytest.mark.filterwarnings("ignore:this version of h")
SYNCHRONOUS = [
    "django-redis",
    "django-redis-json",
    "django-redis-herd",
    "django-valkey",
]


@pytest.fixture(params=SYNCHRONOUS)
def kind(request):
    return request.param


@pytest.fixture
def cache(kind, opened):
    return opened(kind)


@pytest.fixture
def valkey(opened, locations):
    """An asynchronous one, on a database of its own: django-valkey mixes up pools."""
    location = f"{locations('django-valkey-async')}/5"
    return opened("django-valkey-async", location=location, is_kept=False)


async def hang_up(valkey):
    """Close what belongs to this event loop."""
    client = await valkey.client.get_client()
    await client.connection_pool.disconnect()


def test_keys_are_found_by_the_names_that_tests_know(sections, cache):
    cache.set_many({"a-process": 1, "b-process": 1})
    with sections.opened(CLASS):
        cache.set_many({"a-class": 1, "a*": 1})
        with sections.opened(TEST):
            cache.set("a-test", 1)
            expected = ["a*", "a-class", "a-process", "a-test"]
            assert sorted(cache.keys("a*")) == expected
            assert sorted(cache.iter_keys("a*")) == expected
            assert sorted(cache.keys("*")) == [*expected, "b-process"]
            assert cache.keys("a-tes?") == ["a-test"]
            assert cache.keys("absent") == []
            assert cache.delete_pattern("a-*") == 3
            assert sorted(cache.keys("*")) == ["a*", "b-process"]
            assert cache.get("a-process") is None
            cache.clear()
            assert cache.keys("*") == []
        assert sorted(cache.keys("a*")) == ["a*", "a-class", "a-process"]
    assert sorted(cache.keys("*")) == ["a-process", "b-process"]


def test_keys_of_others_are_not_found(sections, kind, opened, locations):
    location = locations(kind)
    plain = opened(kind, location=location, is_isolated=False)
    plain.set("found-before", 1)
    cache = opened(kind, location=location)
    with sections.opened(TEST):
        cache.set("found-own", 1)
        assert cache.keys("found*") == ["found-own"]
        assert cache.delete_pattern("found*") == 1
        assert cache.delete_pattern("*") == 0
    assert plain.keys("found*") == ["found-before"]
    plain.delete("found-before")


def test_patterns_keep_to_their_prefix_and_version(sections, kind, opened, locations):
    location = locations(kind)
    one = opened(kind, location=location, KEY_PREFIX="a*[b]")
    other = opened(kind, location=location, KEY_PREFIX="axb")
    with sections.opened(CLASS):
        one.set("key", 1)
        one.set("key", 1, version=2)
        other.set("key", 1)
        with sections.opened(TEST):
            assert one.keys("*") == ["key"]
            assert other.keys("*") == ["key"]
            assert one.delete_pattern("*", version=2) == 1
            assert one.keys("*") == ["key"]
            assert one.delete_pattern("*", prefix="axb") == 1
            assert other.get("key") is None
        assert other.get("key") == 1


def reverse(key):
    return key.rpartition("|")[2]


def make(key, prefix, version):
    return f"{version}|{key}"


def test_a_reverse_function_gets_keys_without_a_section(sections, kind, opened):
    name = __name__
    functions = {"KEY_FUNCTION": f"{name}.make", "OPTIONS": {}}
    seen = []

    def reverse_seen(key):
        seen.append(key)
        return reverse(key)

    for place in (functions, functions["OPTIONS"]):
        place["REVERSE_KEY_FUNCTION"] = f"{name}.reverse"
    cache = opened(kind, **functions)
    with sections.opened(TEST):
        cache.set("key", 1)
        assert cache.keys("*") == ["key"]
        cache.client.reverse_key = reverse_seen
        assert list(cache.iter_keys("*")) == ["key"]
        assert seen == ["1|key"]
        assert cache.client.reverse_key("1|other") == "other"


def test_times_to_live_are_the_sections_own(sections, cache):
    with sections.opened(CLASS):
        cache.set("key", 1, 1000)
        cache.set("ever", 1, None)
        with sections.opened(TEST):
            assert 990 < cache.ttl("key") <= 1060
            assert 990_000 < cache.pttl("key") <= 1_060_000
            assert cache.ttl("ever") is None
            assert cache.ttl("absent") == 0
            assert cache.persist("key")
            assert cache.ttl("key") is None
            assert cache.expire("ever", 5)
            assert cache.ttl("ever") == 5
            assert cache.pexpire("ever", 7000)
            assert cache.ttl("ever") in (6, 7)
            assert not cache.expire("absent", 5)
        assert 990 < cache.ttl("key") <= 1060
        assert cache.ttl("ever") is None


def test_a_lock_is_the_tests_own(sections, kind, cache):
    get_lock = cache.lock
    with sections.opened(TEST):
        assert get_lock("lock", timeout=60).acquire(blocking=False)
        assert not get_lock("lock", timeout=60).acquire(blocking=False)
    with sections.opened(OTHER_TEST):
        lock = get_lock("lock", timeout=60)
        assert lock.acquire(blocking=False)
        lock.release()
        with get_lock("lock", timeout=60):
            assert get_lock("lock").locked()


def test_a_lock_of_a_class_holds_in_its_tests(sections, cache):
    with sections.opened(CLASS):
        cache.lock("lock", timeout=60).acquire()
        with sections.opened(TEST):
            assert not cache.lock("lock", timeout=60).acquire(blocking=False)


def test_sets_are_the_sections_own(sections, cache):
    if not hasattr(cache, "sadd"):
        pytest.skip("it has no sets")
    with sections.opened(CLASS):
        cache.sadd("one", "a", "b")
        cache.sadd("other", "b", "c")
        with sections.opened(TEST):
            assert cache.smembers("one") == {"a", "b"}
            assert cache.sadd("one", "d") == 1
            assert cache.srem("one", "a") == 1
            assert cache.scard("one") == 2
            assert cache.sismember("one", "d")
            assert cache.sinter("one", "other") == {"b"}
            assert cache.sunion("one", "other") == {"b", "c", "d"}
            assert cache.sdiff("one", "other") == {"d"}
            assert cache.sinterstore("stored", "one", "other") == 1
            assert cache.smembers("stored") == {"b"}
            assert cache.smove("one", "other", "d")
            assert cache.spop("one") == "b"
            assert set(cache.sscan_iter("other")) == {"b", "c", "d"}
        assert cache.smembers("one") == {"a", "b"}
        assert cache.smembers("other") == {"b", "c"}
        assert not cache.has_key("stored")


@HASHES_ARE_DEPRECATED
def test_hashes_are_the_sections_own(sections, kind, cache):
    if not hasattr(cache, "hset"):
        pytest.skip("it has no hashes")
    cache.hset("hash", "before", 1)
    cache.hdel("hash", "before")
    with sections.opened(CLASS):
        cache.hset("hash", "field", 1)
        cache.hset("hash", "other", 2)
        with sections.opened(TEST):
            assert cache.hexists("hash", "field")
            assert cache.hlen("hash") == 2
            assert cache.hset("hash", "new", 3) == 1
            assert cache.hdel("hash", "field") == 1
            assert not cache.hexists("hash", "field")
            assert sorted(cache.hkeys("hash")) == ["new", "other"]
            with sections.opened(BLOCK):
                assert sorted(cache.hkeys("hash")) == ["new", "other"]
        assert sorted(cache.hkeys("hash")) == ["field", "other"]
    assert cache.hlen("hash") == 0


class HashClient(HashCommands, DefaultClient):
    """What django-valkey recommends; it makes a key of the hash's name as well."""


def test_hashes_of_a_hash_client_are_the_sections_own(sections, opened):
    options = {"CLIENT_CLASS": f"{__name__}.HashClient"}
    cache = opened("django-valkey", OPTIONS=options)
    with sections.opened(CLASS):
        cache.client.hset("hash", "field", "1")
        cache.client.hset("hash", "one", "1")
        before = cache.client.hget("hash", "field")
        with sections.opened(TEST):
            assert cache.client.hget("hash", "field") == before
            assert cache.client.hexists("hash", "one")
            assert cache.client.hlen("hash") == 2
            assert cache.client.hdel("hash", "field") == 1
            assert cache.client.hget("hash", "field") is None
            assert cache.keys("*") == ["hash"]
        assert cache.client.hget("hash", "field") == before
    assert cache.client.hlen("hash") == 0


def test_sorted_sets_are_the_sections_own(sections, cache):
    if not hasattr(cache, "zadd"):
        pytest.skip("it has no sorted sets")
    with sections.opened(CLASS):
        cache.zadd("ranks", {"a": 1, "b": 2})
        with sections.opened(TEST):
            assert cache.zrange("ranks", 0, -1) == ["a", "b"]
            assert cache.zincrby("ranks", 5, "a") == 6
            assert cache.zrange("ranks", 0, -1) == ["b", "a"]
            assert cache.zrem("ranks", "b") == 1
            assert cache.zcard("ranks") == 1
        assert cache.zrange("ranks", 0, -1) == ["a", "b"]
    assert cache.zcard("ranks") == 0


@pytest.mark.filterwarnings("ignore:.* on sharded client should not specify client")
def test_shards_are_searched_and_cleared_together(sections, opened):
    cache = opened("django-redis-sharded")
    names = [f"key-{number}" for number in range(20)]
    with sections.opened(CLASS):
        for name in names:
            cache.set(name, name, 100)
        with sections.opened(TEST):
            assert sorted(cache.keys("key-*")) == sorted(names)
            assert [cache.get(name) for name in names] == names
            assert 90 < cache.ttl("key-1") <= 100
            assert cache.delete_pattern("key-1*") == 11
            assert len(cache.keys("*")) == 9
            cache.clear()
            assert cache.keys("*") == []
        assert len(cache.keys("*")) == 20
    for client in cache.client._serverdict.values():
        assert client.keys("*key-*") == []


def test_the_raw_client_of_a_cache_can_be_used_with_made_keys(sections, kind, cache):
    with sections.opened(TEST):
        cache.set("key", 1)
        client = cache.client.get_client()
        assert client.exists(cache.client.make_key("key"))
        assert client.exists(cache.make_key("key"))


@HASHES_ARE_DEPRECATED
def test_an_asynchronous_cache_is_isolated_in_one_loop(sections, valkey):
    async def run():
        await valkey.aset("of-process", 1, None)
        sections.begin(CLASS)
        await valkey.aset("key", {"a": 1}, 100)
        await valkey.asadd("set", "a", "b")
        await valkey.ahset("hash", "field", 1)
        sections.begin(TEST)
        assert await valkey.aget("key") == {"a": 1}
        assert 90 < await valkey.attl("key") <= 100
        assert await valkey.aget("of-process") == 1
        await valkey.aset("key", 2)
        await valkey.asadd("set", "c")
        assert await valkey.ahexists("hash", "field")
        await valkey.ahset("hash", "other", 2)
        assert await valkey.asmembers("set") == {"a", "b", "c"}
        # A hash is called as it is told, without prefix and version.
        assert sorted(await valkey.akeys("*[ots]*")) == ["of-process", "set"]
        assert await valkey.adelete_pattern("s*") == 1
        assert await valkey.aincr("of-process") == 2
        async for key in valkey.aiter_keys("k*"):
            assert key == "key"
        answer = await valkey.aclear()
        assert await valkey.aget("key") is None
        assert await valkey.akeys("*") == []
        sections.end()
        assert await valkey.aget("key") == {"a": 1}
        assert await valkey.asmembers("set") == {"a", "b"}
        assert await valkey.ahkeys("hash") == ["field"]
        assert await valkey.aget("of-process") == 1
        sections.end()
        assert await valkey.aget("key") is None
        await hang_up(valkey)
        return answer

    assert asyncio.run(run()) is True


def test_an_asynchronous_cache_is_isolated_over_many_loops(sections, valkey):
    async def set_it(value):
        await valkey.aset("key", value)
        await hang_up(valkey)

    async def get_it():
        found = await valkey.aget("key")
        await hang_up(valkey)
        return found

    with sections.opened(CLASS):
        asyncio.run(set_it(1))
        for test in (TEST, OTHER_TEST):
            with sections.opened(test):
                assert asyncio.run(get_it()) == 1
                asyncio.run(set_it(2))
                assert asyncio.run(get_it()) == 2
    assert asyncio.run(get_it()) is None
