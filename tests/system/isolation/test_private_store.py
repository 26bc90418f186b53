"""Servers of a process's own: raw connections are isolated too."""

import atexit
import os
import socket

import pytest
from django.core.cache.backends.memcached import PyLibMCCache, PyMemcacheCache
from django.core.cache.backends.redis import RedisCache
from django_redis.cache import RedisCache as DjangoRedisCache
from django_valkey.async_cache.cache import AsyncValkeyCache
from django_valkey.cache import ValkeyCache

from ci_cache_isolation.isolation.stack import ScopeStack
from ci_cache_isolation.isolation.stores.private import PrivateStore
from tests.served import eventually
from tests.shared_caches import BLOCK, CLASS, OTHER_TEST, TEST, close

UNREACHABLE = "127.0.0.1:1"
SHARDS = {"OPTIONS": {"CLIENT_CLASS": "django_redis.client.ShardClient"}}
KINDS = {
    "redis": (RedisCache, f"redis://:secret@{UNREACHABLE}/3", {}),
    "django-redis": (DjangoRedisCache, f"redis://{UNREACHABLE}/3", {}),
    "django-valkey": (ValkeyCache, f"valkey://{UNREACHABLE}/3", {}),
    "pymemcache": (PyMemcacheCache, UNREACHABLE, {}),
    "pylibmc": (PyLibMCCache, UNREACHABLE, {}),
}
NOISE = pytest.mark.filterwarnings("ignore:Exception ignored in PyMapping")


@pytest.fixture(scope="module")
def servers():
    """Servers are started once: what was in them is gone when a test ends."""
    made = PrivateStore()
    yield made
    for contained in made._servers.values():
        contained.server.stop()
    # Whoever still holds the store does nothing more after a fork.
    made._servers.clear()


@pytest.fixture
def stack(servers):
    stack = ScopeStack([servers])
    stack.begin(CLASS)
    yield stack
    stack.move_to(())


@pytest.fixture
def opened(servers):
    made = []

    def open_cache(kind, location=None, **params):
        cache_class, default, options = KINDS[kind]
        cache = cache_class(location or default, {**options, **params})
        assert servers.adopt(kind, cache)
        made.append(cache)
        return cache

    yield open_cache
    for cache in made:
        close(cache)


@pytest.fixture(params=[pytest.param(kind, marks=NOISE) for kind in KINDS])
def kind(request):
    return request.param


def raw(kind, cache):
    """Return a client of the library, that knows nothing of Django."""
    if kind == "redis":
        return cache._cache.get_client()
    if kind in {"pymemcache", "pylibmc"}:
        return cache._cache
    return cache.client.get_client()


def test_what_goes_past_the_cache_is_isolated_too(stack, kind, opened):
    cache = opened(kind)
    client = raw(kind, cache)
    with stack.opened(TEST):
        client.set("raw", b"1")
        cache.set("key", 1)
        assert client.get("raw") is not None
    with stack.opened(OTHER_TEST):
        assert client.get("raw") is None
        assert cache.get("key") is None


def test_entries_of_enclosing_scopes_are_as_they_were_left(stack, kind, opened):
    cache = opened(kind)
    client = raw(kind, cache)
    cache.set("key", {"a": [1]}, 100)
    cache.set("number", 5, None)
    client.set("raw", b"before")
    for test in (TEST, OTHER_TEST):
        with stack.opened(test):
            assert cache.get("key") == {"a": [1]}
            assert cache.incr("number") == 6
            cache.delete("key")
            client.set("raw", b"changed")
            with stack.opened(BLOCK):
                cache.clear()
                assert client.get("raw") is None
            assert client.get("raw") == b"changed"
            assert cache.get_many(["key", "number"]) == {"number": 6}
    assert cache.get_many(["key", "number"]) == {"key": {"a": [1]}, "number": 5}
    assert client.get("raw") == b"before"


def test_times_to_live_go_on(stack, kind, opened):
    cache = opened(kind)
    cache.set("short", 1, 2)
    cache.set("long", 1, 100)
    cache.set("ever", 1, None)
    with stack.opened(TEST):
        cache.clear()
    assert cache.get_many(["short", "long", "ever"]) == {
        "short": 1,
        "long": 1,
        "ever": 1,
    }
    if kind not in {"pymemcache", "pylibmc"}:
        client, made = raw(kind, cache), getattr(cache, "client", cache).make_key
        names = [made(key, version=1) for key in ("short", "long", "ever")]
        short, long, ever = map(client.pttl, names)
        assert 0 < short <= 2000
        assert 95_000 < long <= 100_000
        assert ever == -1
    # Not by the clock of this process: by the server's.
    assert eventually(lambda: cache.get("short") is None)
    with stack.opened(TEST):
        assert cache.get_many(["short", "long", "ever"]) == {"long": 1, "ever": 1}


def test_many_entries_take_few_round_trips(stack, kind, opened, monkeypatch):
    cache, sent = opened(kind), []
    cache.set_many({f"key{number}": number for number in range(250)}, 100)
    send = socket.socket.sendall

    def counted(self, data, *flags):
        sent.append(data)
        return send(self, data, *flags)

    with monkeypatch.context() as patched:
        patched.setattr(socket.socket, "sendall", counted)
        stack.begin(TEST)
    read = len(sent)
    cache.clear()
    with monkeypatch.context() as patched:
        patched.setattr(socket.socket, "sendall", counted)
        stack.end()
    assert (read < 20, len(sent) - read < 20) == (True, True)
    assert cache.get("key0") + cache.get("key249") == 249


def test_a_visit_is_seen_by_the_inner_scopes(stack, kind, opened):
    cache = opened(kind)
    stack.begin(TEST)
    cache.set_many({"own": 1, "both": 1})
    with stack.at(1):
        assert cache.get("own") is None
        cache.set_many({"of-class": 1, "both": 2})
    assert cache.get_many(["own", "both", "of-class"]) == {
        "own": 1,
        "both": 2,
        "of-class": 1,
    }


def test_databases_of_one_server_stay_apart_and_together(stack, opened):
    three = opened("redis", "redis://127.0.0.1:1/3")
    option = opened("redis", "redis://127.0.0.1:1", OPTIONS={"db": 3})
    other = opened("redis", "redis://127.0.0.1:1/4?db=5")
    client = opened("django-redis", "redis://127.0.0.1:1/3")
    assert len({three._cache, option._cache, other._cache}) == 3
    with stack.opened(TEST):
        three.set("key", 1)
        assert option.get("key") == 1
        assert other.get("key") is None
        other.set("key", 2)
        other.clear()
        assert three.get("key") == 1
        assert client.get("key") == 1
    assert three.get("key") is None


def test_a_database_may_have_any_number(stack, opened):
    cache = opened("redis", "redis://127.0.0.1:1/42")
    with stack.opened(TEST):
        cache.set("key", 1)
        assert cache.get("key") == 1
        with stack.opened(BLOCK):
            cache.delete("key")
        assert cache.get("key") == 1
    assert cache.get("key") is None


def test_every_type_of_a_redis_is_put_back(stack, opened):
    client = raw("redis", opened("redis"))
    client.hset("hash", mapping={"a": 1})
    client.rpush("list", 1, 2)
    client.zadd("ranks", {"a": 1.5})
    client.sadd("set", "a")
    client.xadd("stream", {"a": 1}, id="1-1")
    before = {key: client.dump(key) for key in client.keys("*")}
    with stack.opened(TEST):
        client.flushall()
        client.set("hash", 1)
    assert {key: client.dump(key) for key in client.keys("*")} == before


def test_an_entry_that_is_not_text_is_put_back(stack, kind, opened):
    cache = opened(kind)
    values = {
        "bytes": bytes(range(256)),
        "lines": b"END\r\nVALUE x 0 3\r\n",
        "empty": b"",
    }
    client = raw(kind, cache)
    for name, value in values.items():
        client.set(name, value)
    with stack.opened(TEST):
        cache.clear()
        client.set("bytes", b"x")
    assert {name: client.get(name) for name in values} == values


def test_not_one_item_of_a_memcached_is_missed(stack, servers, opened):
    """As it was now and then, when items were listed while the server moved them."""
    cache = opened("pymemcache")
    cache.set_many(dict.fromkeys(map(str, range(8)), 1))
    (contained,) = [
        each for each in servers._servers.values() if each.server.kind == "memcached"
    ]
    for _ in range(100):
        contained.replace(contained.contents())
        assert len(contained.contents().entries) == 8


@pytest.mark.filterwarnings("ignore:.* on sharded client should not specify client")
def test_shards_share_one_server(stack, servers):
    locations = [f"redis://127.0.0.1:1/{number}" for number in (1, 2)]
    cache = DjangoRedisCache(locations, SHARDS)
    assert servers.adopt("shards", cache)
    with stack.opened(TEST):
        for number in range(10):
            cache.set(f"key-{number}", number)
            assert cache.client.get(f"key-{number}") == number
        cache.get("key-1")
    assert cache.client.get("key-1") is None


def test_an_asynchronous_cache_is_isolated_too(stack, servers):
    import asyncio  # noqa: PLC0415

    cache = AsyncValkeyCache("valkey://127.0.0.1:1/11", {})
    assert servers.adopt("async", cache)

    async def use():
        before = await cache.aget("key")
        await cache.aset("key", 1)
        client = await cache.client.get_client()
        await client.connection_pool.disconnect()
        return before

    for test in (TEST, OTHER_TEST):
        with stack.opened(test):
            assert asyncio.run(use()) is None


def test_a_cache_opened_again_is_led_to_the_same_server(stack, kind, opened, servers):
    one, other = opened(kind), opened(kind)
    count = len(servers._servers)
    assert servers.adopt(kind, one)
    assert len(servers._servers) == count
    with stack.opened(TEST):
        one.set("key", 1)
        assert other.get("key") == 1


def test_a_store_that_is_switched_off_leaves_forks_as_they_are(servers, opened):
    opened("redis")
    for is_active in (True, False):
        (servers.activate if is_active else servers.deactivate)()
        pid = os.fork()
        if not pid:
            # Those that are led to a server of their own, as soon as they are used.
            os._exit(int(bool(servers._inherited)))
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == int(is_active)
    servers.activate()


def test_servers_end_with_the_process():
    made = PrivateStore()
    cache = RedisCache("redis://127.0.0.1:1", {})
    assert made.adopt("redis", cache)
    (contained,) = made._servers.values()
    assert cache._cache.get_client().ping()
    contained.server.stop()
    atexit.unregister(contained.server.stop)
    made._servers.clear()
