"""``doctor --probe`` on every store: each promise, with nothing of anybody else's."""

import socket

import pytest

from tests.contents import MemcachedContents, RedisContents
from tests.probes import backend, probed, project_with, shelf

# All caches are probed once.
pytestmark = pytest.mark.xdist_group("probed stores")
DJANGO_REDIS = "django_redis.cache.RedisCache"
FLAWED = {
    "one": ("calls", "foreign", "timeouts"),
    "two": ("bulk", "left", "threads", "words"),
    "three": ("processes", "versions"),
}
"""Backends with several flaws, each of which breaks a promise of its own."""
SOUND = [
    "default",
    "files",
    "database",
    "redis",
    "django-redis",
    "memcached",
    "private",
    "shelf",
]


@pytest.fixture(scope="module")
def others(redis_server, memcached_server):
    """What somebody else has on the servers, and what was sent to them."""
    found = [RedisContents(redis_server), MemcachedContents(memcached_server)]
    for each in found:
        each.fill()
        each.begin_watching()
    yield found
    for each in found:
        each.close()


@pytest.fixture(scope="module")
def silent():
    """An address that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture(scope="module")
def found(tmp_path_factory, redis_server, memcached_server, others, silent):
    folder = tmp_path_factory.mktemp("probed")
    redis = redis_server.location
    caches = {
        "default": backend("locmem.LocMemCache"),
        "files": backend("filebased.FileBasedCache", folder / "files"),
        "database": backend("db.DatabaseCache", "their_table"),
        "redis": backend("redis.RedisCache", redis),
        "django-redis": {"BACKEND": DJANGO_REDIS, "LOCATION": redis},
        "memcached": backend("memcached.PyMemcacheCache", memcached_server.location),
        "private": backend("redis.RedisCache", redis),
        "shelf": shelf(folder),
        "flushing": {"BACKEND": "flawed_cache.FlushingRedis", "LOCATION": redis},
        "chatty": {"BACKEND": "flawed_cache.ChattyRedis", "LOCATION": redis},
        **{alias: shelf(folder, *flaws) for alias, flaws in FLAWED.items()},
        "dummy": backend("dummy.DummyCache"),
        "locks": backend("redis.RedisCache", redis),
        "refused": backend("redis.RedisCache", "redis://:hush@127.0.0.1:1/0"),
        "silent": backend("redis.RedisCache", silent),
        "missing": {"BACKEND": "nowhere.Cache"},
        "unknown": {"BACKEND": "builtins.dict"},
    }
    project_with(folder, caches, stores={"locks": "none", "private": "private-server"})
    before = [each.dump() for each in others]
    done = probed(folder)
    assert [each.dump() for each in others] == before
    assert [each.forbidden() for each in others] == [[], []]
    assert not (folder / "files").exists()
    assert not (folder / "nowhere.sqlite3").exists()
    return done


@pytest.mark.parametrize("alias", SOUND)
def test_every_promise_is_kept(found, alias):
    assert found.broken(alias) == {}
    states = found.states(alias)
    assert {*states.values()} == {"kept"}
    assert {"scopes", "undone", "processes", "foreign", "left", "clear"} <= {*states}
    assert found.cache(alias)["advice"] == ""


def test_promises_that_fit_one_kind_are_put_to_that_kind(found):
    assert "rollbacks" in found.states("database")
    assert "rollbacks" not in found.states("redis")
    assert "extras" in found.states("django-redis")
    assert "cost" in found.states("redis")


@pytest.mark.parametrize("alias", FLAWED)
def test_broken_promises_are_found(found, alias):
    assert {*FLAWED[alias]} <= found.broken(alias).keys()
    assert "'none'" in found.cache(alias)["advice"]


def test_a_clear_that_would_empty_the_server_is_held_back_and_said(found):
    said = str(found.broken("flushing")["clear"])
    assert "FLUSHDB was not sent" in said
    assert "private-server" in found.cache("flushing")["advice"]


def test_what_a_test_sends_without_using_the_cache_is_counted(found):
    assert "round trips" in str(found.broken("chatty")["cost"])


def test_what_cannot_be_probed_is_said(found):
    said = {each["alias"]: each["failure"] for each in found.said["caches"]}
    assert said["refused"].startswith("can't be reached: redis.exceptions.Connection")
    assert said["silent"] == "can't be reached: no answer within 5 seconds"
    assert said["missing"] == "can't be imported: No module named 'nowhere'"
    assert "hush" not in str(found.said)
    assert found.cache("dummy")["left_alone"] == "it keeps nothing"
    assert found.cache("locks")["left_alone"] == (
        "shared: settings.CACHE_ISOLATION['stores']"
    )
    assert found.broken("unknown").keys() == {"known"}


def test_broken_promises_make_the_command_fail(found):
    assert (found.code, found.errors) == (1, "")
