"""What every cache on a server, in a table or in a directory does in its sections."""

import asyncio
import copy
import pickle
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC
from pathlib import Path
from unittest import mock

import pytest
from django.db import connections, router

from ci_cache_isolation.isolation.scopes import Scope, ScopeKind
from tests.shared_caches import (
    BLOCK,
    CLASS,
    KIND_PARAMS,
    OTHER_TEST,
    REDIS_KINDS,
    TEST,
    close,
    raw_key,
)

pytestmark = pytest.mark.usefixtures("nothing_to_say")

MEMCACHED = ["pymemcache", "pylibmc"]
# Its authors left that out.
CANNOT_COUNT = "django-redis-herd"
VALUES = [None, "", 0, 1, -5, 2**70, 1.5, True, "text", "ünï", [1, "a"], {"a": [None]}]


@pytest.fixture(params=KIND_PARAMS)
def kind(request):
    return request.param


@pytest.fixture
def cache(kind, opened):
    return opened(kind)


@pytest.fixture(params=["on", "off"])
def either(request, kind, opened):
    """A cache in the hands of the store, or as plain Django opens it."""
    is_isolated = request.param == "on"
    return opened(kind, is_isolated=is_isolated), is_isolated


def seconds_left(kind, cache, key):
    """Ask the server how long an entry has still to live; None for ever."""
    name = raw_key(cache, key)
    if kind in REDIS_KINDS:
        client = cache._cache if kind == "redis" else cache.client
        if hasattr(client, "get_server"):
            client = client.get_server(name)
        else:
            client = client.get_client(write=True)
        left = client.pttl(name)
        assert left != -2
        return None if left == -1 else left / 1000
    if kind in MEMCACHED:
        host, port = cache._servers[0].split(":")
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(f"mg {name} t\r\n".encode())
            answer = connection.recv(1000).decode()
        left = int(answer.removeprefix("HD t"))
        return None if left == -1 else left
    if kind == "files":
        with Path(cache._key_to_file(key)).open("rb") as file:
            expiry = pickle.load(file)
    elif kind == "custom":
        expiry = cache.entries[name][1]
    else:
        expiry = expiry_in_table(cache, name)
    return None if expiry is None else expiry - time.time()


def expiry_in_table(cache, name):
    connection = connections[router.db_for_write(cache.cache_model_class)]
    with connection.cursor() as cursor:
        sql = f"SELECT expires FROM {cache._table} WHERE cache_key = %s"
        cursor.execute(sql, [name])
        (expires,) = cursor.fetchone()
    if expires.tzinfo is None:
        expires = expires.replace(tzinfo=UTC)
    return None if expires.year == 9999 else expires.timestamp()


def test_what_a_test_stores_is_gone_when_it_ends(sections, either):
    cache, is_isolated = either
    with sections.opened(TEST):
        cache.set("key", 1)
        assert cache.get("key") == 1
    with sections.opened(OTHER_TEST):
        assert (cache.get("key") is None) is is_isolated
    assert (cache.get("key") is None) is is_isolated


def test_what_a_test_does_to_entries_of_enclosing_scopes_is_undone(
    sections, kind, either
):
    cache, is_isolated = either
    stored = {"kept": {"a": [1]}, "changed": 1, "deleted": 2, "touched": 3}
    with sections.opened(CLASS):
        cache.set_many(stored)
        with sections.opened(TEST):
            cache.set("changed", 2)
            cache.delete("deleted")
            if kind == "pylibmc":
                # Whether it can let an entry expire by a touch depends on its version.
                cache.delete("touched")
            else:
                cache.touch("touched", 0)
            assert cache.get_many(stored) == {"kept": {"a": [1]}, "changed": 2}
        assert (cache.get_many(stored) == stored) is is_isolated
        with sections.opened(OTHER_TEST):
            assert (cache.get_many(stored) == stored) is is_isolated
    assert (cache.get_many(stored) == {}) is is_isolated


def test_what_a_test_counts_is_undone(sections, kind, either):
    cache, is_isolated = either
    if kind == CANNOT_COUNT:
        pytest.skip("it does not count")
    with sections.opened(CLASS):
        cache.set("counted", 5)
        with sections.opened(TEST):
            assert cache.incr("counted", 3) == 8
            assert cache.decr("counted") == 7
            for count in (cache.incr, cache.decr):
                with pytest.raises(ValueError, match="Key"):
                    count("absent")
        assert (cache.get("counted") == 5) is is_isolated


def test_blocks_in_a_test_are_undone_one_by_one(sections, cache):
    sections.move_to((CLASS, TEST))
    cache.set("key", "of test")
    with sections.opened(BLOCK):
        assert cache.get("key") == "of test"
        cache.set_many({"key": "of block", "other": 1})
        with sections.opened(BLOCK):
            assert cache.get("key") == "of block"
            cache.delete("key")
            assert not cache.has_key("key")
        assert cache.get("key") == "of block"
    assert cache.get_many(["key", "other"]) == {"key": "of test"}


def test_clearing_reaches_the_section_in_use_and_no_other(sections, either):
    cache, is_isolated = either
    keys = ["of-process", "of-class", "of-test"]
    cache.set("of-process", 0)
    with sections.opened(CLASS):
        cache.set("of-class", 1)
        with sections.opened(TEST):
            cache.set("of-test", 2)
            cache.clear()
            for key in keys:
                assert cache.get(key) is None
                assert not cache.has_key(key)
                assert cache.add(key, "again")
                assert cache.get(key) == "again"
            with sections.opened(BLOCK):
                assert cache.get("of-test") == "again"
                cache.clear()
                assert cache.get("of-test") is None
            assert (cache.get("of-test") == "again") is is_isolated
            cache.clear()
            cache.clear()
            assert cache.get_many(keys) == {}
        left = {"of-process": 0, "of-class": 1}
        assert (cache.get_many(keys) == left) is is_isolated
        cache.clear()
        with sections.opened(OTHER_TEST):
            assert cache.get_many(keys) == {}
    assert (cache.get_many(keys) == {"of-process": 0}) is is_isolated


def test_clearing_answers_as_it_does_without_isolation(sections, kind, opened):
    answers = []
    for is_isolated in (True, False):
        with sections.opened(TEST):
            answers.append(opened(kind, is_isolated=is_isolated).clear())
    assert answers[0] == answers[1]


def test_clearing_in_the_process_is_for_good(sections, cache):
    cache.set("key", 1)
    cache.clear()
    assert cache.get("key") is None
    cache.set("other", 1)
    with sections.opened(TEST):
        assert cache.get("key") is None
        assert cache.get("other") == 1


def test_what_was_there_before_is_there_afterwards(sections, kind, opened, locations):
    location = locations(kind)
    plain = opened(kind, location=location, is_isolated=False)
    plain.set("before", "here", None)
    cache = opened(kind, location=location)
    assert plain.get("before") == "here"
    with sections.opened(CLASS), sections.opened(TEST):
        assert cache.get("before") is None
        cache.set("before", "mine")
        cache.clear()
        assert cache.get("before") is None
        cache.delete("before")
    sections.tidy()
    assert plain.get("before") == "here"
    plain.delete("before")


def test_every_method_answers_as_it_does_without_isolation(sections, either):
    cache, _ = either
    used = ["key", "other", "absent", "a", "b"]
    cache.delete_many(used)
    with sections.opened(CLASS):
        assert cache.add("key", 1, 100)
        assert not cache.add("key", 2)
        with sections.opened(TEST):
            assert not cache.add("key", 2)
            assert cache.get("key") == 1
            assert "key" in cache
            assert cache.has_key("key")
            assert "absent" not in cache
            assert not cache.has_key("absent")
            assert cache.touch("key", 50)
            assert not cache.touch("absent", 50)
            assert cache.get_or_set("key", 3) == 1
            assert cache.get_or_set("other", lambda: 4) == 4
            assert cache.get("other") == 4
            assert cache.delete("other")
            assert not cache.delete("other")
            assert cache.delete("key")
            assert not cache.delete("key")
            assert cache.get("key") is None
            assert cache.get("key", "default") == "default"
            assert cache.set_many({"a": 1, "b": 2}) in ([], None, True)
            assert cache.get_many(["a", "b", "absent"]) == {"a": 1, "b": 2}
            cache.delete_many(["a", "absent"])
            assert cache.get_many(["a", "b"]) == {"b": 2}
    cache.delete_many(used)


def test_versions_are_kept_apart(sections, cache):
    with sections.opened(CLASS):
        cache.set("key", "one", 100, version=1)
        cache.set("key", "two", 100, version=2)
        with sections.opened(TEST):
            assert cache.get("key", version=1) == "one"
            assert cache.get("key", version=2) == "two"
            assert cache.incr_version("key") == 2
            assert cache.get("key") is None
            assert cache.get("key", version=2) == "one"
            assert cache.decr_version("key", version=2) == 1
            assert cache.get("key") == "one"
            assert cache.get("key", version=2) is None
            with pytest.raises(ValueError, match="Key"):
                cache.incr_version("absent")
        assert cache.get_many(["key"], version=1) == {"key": "one"}
        assert cache.get_many(["key"], version=2) == {"key": "two"}


def test_the_asynchronous_methods_are_isolated_too(sections, kind, cache):
    if not hasattr(cache, "aget") or kind == "database":
        pytest.skip("it has none, or a database in memory for each thread")

    async def in_class():
        await cache.aset("key", {"a": 1}, 50)
        await cache.aset_many({"number": 1, "other": 2})

    async def in_test():
        assert await cache.aget("key") == {"a": 1}
        if kind != CANNOT_COUNT:
            assert await cache.aincr("number") == 2
            assert await cache.adecr("number") == 1
        assert await cache.ahas_key("other")
        assert not await cache.aadd("other", 3)
        assert await cache.aget_or_set("new", 5) == 5
        assert await cache.aget_many(["other", "new"]) == {"other": 2, "new": 5}
        assert await cache.atouch("other", 5)
        await cache.adelete("other")
        await cache.adelete_many(["new"])
        assert await cache.aget("new") is None
        assert await cache.aincr_version("key") == 2
        await cache.aclear()
        assert await cache.aget("key", version=2) is None

    with sections.opened(CLASS):
        asyncio.run(in_class())
        with sections.opened(TEST):
            asyncio.run(in_test())
        left = cache.get_many(["key", "number", "other", "new"])
        assert left == {"key": {"a": 1}, "number": 1, "other": 2}


def test_values_of_enclosing_scopes_come_over_as_they_are(sections, cache):
    with sections.opened(CLASS):
        for number, value in enumerate(VALUES):
            cache.set(f"key-{number}", value)
        before = [cache.get(f"key-{number}", "no") for number in range(len(VALUES))]
        with sections.opened(TEST):
            for number, value in enumerate(before):
                for _ in range(2):
                    found = cache.get(f"key-{number}", "no")
                    assert found == value
                    assert type(found) is type(value)
            with sections.opened(BLOCK):
                after = [cache.get(f"key-{number}", "no") for number in range(12)]
                assert repr(after) == repr(before)


@pytest.mark.parametrize("timeout", [None, 2, 1000, "default"])
def test_an_entry_lives_as_long_in_inner_scopes(sections, kind, cache, timeout):
    given = [] if timeout == "default" else [timeout]
    expected = 300 if timeout == "default" else timeout
    # A herd adds a minute, for one to renew what the others go on using.
    if kind == "django-redis-herd" and expected is not None:
        expected += 60
    began = time.monotonic()
    with sections.opened(CLASS):
        cache.set("key", 1, *given)
        cache.set_many({"many": 1}, *given)
        cache.add("added", 1, *given)
        # Not stored, so this timeout is nobody's.
        cache.add("key", 2, 5)
        cache.touch("absent", 5)
        sections.begin(TEST)
        sections.begin(BLOCK)
        for key in ("key", "many", "added"):
            assert cache.get(key) == 1
            left = seconds_left(kind, cache, key)
            if expected is None:
                assert left is None
            else:
                # memcached counts in whole seconds, and looks at its clock as often.
                gone = time.monotonic() - began
                assert expected - gone - 2 <= left <= expected + 0.5
        sections.end()
        sections.end()


def test_a_touched_entry_lives_as_long_in_inner_scopes(sections, kind, cache):
    with sections.opened(CLASS):
        cache.set("key", 1, 1000)
        assert cache.touch("key", 500)
        with sections.opened(TEST):
            assert cache.get("key") == 1
            assert seconds_left(kind, cache, "key") <= 560.5


def test_an_expired_entry_does_not_come_over(sections, cache):
    with sections.opened(CLASS):
        cache.set("zero", 1, 0)
        cache.set("past", 1, -1)
        with sections.opened(TEST):
            assert cache.get("zero") is None
            assert cache.get("past") is None
            assert cache.add("past", 2)


@pytest.mark.filterwarnings("ignore:Cache key contains characters")
def test_a_key_may_hold_anything_that_the_backend_takes(sections, kind, cache):
    keys = [
        "a*b",
        "a?[b]",
        "a%_b",
        "ünï·ç",
        "日本",
        "a:b::c",
        "{tag}x",
        "a\\b",
        "'\"<&>",
    ]
    if kind not in MEMCACHED:
        keys += ["a b", "a\nb", "\t", "a\\nb"]
    with sections.opened(CLASS):
        for number, key in enumerate(keys):
            cache.set(key, number)
        with sections.opened(TEST):
            for number, key in enumerate(keys):
                assert cache.get(key) == number
                cache.set(key, "changed")
            assert cache.get_many(keys) == dict.fromkeys(keys, "changed")
            cache.delete_many(keys)
        assert cache.get_many(keys) == {key: place for place, key in enumerate(keys)}


def test_a_visited_scope_shows_what_was_stored_there_to_the_inner_ones(sections, cache):
    sections.move_to((CLASS, TEST))
    cache.set("of-test", 1)
    with sections.at(1):
        assert cache.get("of-test") is None
        cache.set("of-class", 1)
    assert cache.get_many(["of-class", "of-test"]) == {"of-class": 1, "of-test": 1}
    sections.move_to((CLASS,))
    assert cache.get_many(["of-class", "of-test"]) == {"of-class": 1}


def test_a_change_in_a_visit_reaches_scopes_that_had_touched_the_key(sections, cache):
    keys = ["missed", "read", "changed", "deleted", "other"]
    cache.set_many(dict.fromkeys(keys[1:], "before"))
    sections.move_to((CLASS, TEST))
    assert cache.get("missed") is None
    assert cache.get("read") == "before"
    cache.set("changed", "in test")
    cache.delete("deleted")
    cache.set("other", "in test")
    with sections.at(0):
        cache.set_many(dict.fromkeys(keys[:4], "after"))
        # Looking changes nothing.
        assert cache.get("other") == "before"
        assert cache.has_key("other")
    expected = dict.fromkeys(keys[:4], "after")
    assert cache.get_many(keys) == {**expected, "other": "in test"}
    sections.move_to((CLASS,))
    assert cache.get_many(keys) == {**expected, "other": "before"}


UNCHANGING = {
    "incr": lambda cache: cache.incr("key"),
    "decr": lambda cache: cache.decr("key"),
    "incr_version": lambda cache: cache.incr_version("key"),
    "touch": lambda cache: cache.touch("key", 5),
    "delete": lambda cache: cache.delete("key"),
    "delete_many": lambda cache: cache.delete_many(["key", "other"]),
    "get_or_set": lambda cache: cache.get_or_set("of-process", 5),
    "add": lambda cache: cache.add("of-process", 5),
}


@pytest.mark.parametrize("operation", UNCHANGING)
def test_what_changes_nothing_in_a_visit_changes_nothing_in_inner_scopes(
    sections, kind, cache, operation
):
    if kind == CANNOT_COUNT and operation in {"incr", "decr"}:
        pytest.skip("it does not count")
    cache.set("of-process", 1, 1000)
    sections.move_to((CLASS, TEST))
    cache.set_many({"key": 1, "of-process": 2})
    with sections.at(0), suppress(ValueError):
        UNCHANGING[operation](cache)
    assert cache.get_many(["key", "of-process"]) == {"key": 1, "of-process": 2}
    with sections.at(1), suppress(ValueError):
        UNCHANGING[operation](cache)
    assert cache.get_many(["key", "of-process"]) == {"key": 1, "of-process": 2}


def test_clearing_in_a_visit_takes_only_what_stood_there(sections, kind, cache):
    cache.set_many({"stood": 1, "deleted": 1})
    cache.delete("deleted")
    cache.touch("tried")
    if kind != CANNOT_COUNT:
        with pytest.raises(ValueError, match="tried"):
            cache.incr("tried")
    sections.move_to((CLASS, TEST))
    keys = ["stood", "deleted", "tried"]
    cache.set_many(dict.fromkeys(keys, 2))
    with sections.at(0):
        cache.clear()
    assert cache.get_many(keys) == {"deleted": 2, "tried": 2}


def test_what_is_renewed_in_a_visit_is_there_again_in_inner_scopes(
    sections, kind, cache
):
    """The time until which it lives may be the same: on a server in whole seconds."""
    cache.set("key", 1, 1000)
    sections.move_to((CLASS, TEST))
    cache.clear()
    with sections.at(0):
        assert cache.touch("key", 1000)
        assert not cache.touch("absent", 1000)
    assert cache.get_many(["key", "absent"]) == {"key": 1}


@pytest.mark.parametrize("timeout", [100, None])
def test_what_is_stored_in_a_visit_as_it_was_reaches_inner_scopes(
    sections, cache, timeout
):
    cache.set("key", 1, timeout)
    cache.set("renewed", 1, 50)
    sections.move_to((CLASS, TEST))
    cache.set_many({"key": 2, "renewed": 2})
    with sections.at(0):
        cache.set("key", 1, timeout)
        assert cache.touch("renewed", 1000)
    assert cache.get_many(["key", "renewed"]) == {"key": 1, "renewed": 1}


def test_a_deletion_in_a_visit_reaches_scopes_that_had_touched_the_key(sections, cache):
    cache.set_many({"read": 1, "changed": 1, "untouched": 1})
    sections.move_to((CLASS, TEST))
    assert cache.get("read") == 1
    cache.set_many({"changed": 2, "own": 2})
    with sections.at(0):
        cache.delete_many(["read", "changed", "untouched"])
    assert cache.get_many(["read", "changed", "untouched", "own"]) == {"own": 2}


def test_clearing_in_a_visit_leaves_the_inner_scopes_what_is_their_own(sections, cache):
    cache.set_many({"read": 1, "untouched": 1})
    sections.move_to((CLASS, TEST))
    assert cache.get("read") == 1
    cache.set("own", 2)
    with sections.at(0):
        cache.clear()
        cache.set("new", 3)
    keys = ["read", "untouched", "own", "new"]
    assert cache.get_many(keys) == {"own": 2, "new": 3}
    sections.move_to(())
    assert cache.get_many(keys) == {"new": 3}


def test_a_visit_reaches_a_scope_that_was_cleared(sections, cache):
    cache.set_many({"changed": 1, "kept": 1})
    sections.begin(TEST)
    cache.clear()
    with sections.at(0):
        cache.set_many({"changed": 2, "new": 2})
    assert cache.get_many(["changed", "kept", "new"]) == {"changed": 2, "new": 2}


def test_a_visit_in_a_visit_reaches_all_inner_scopes(sections, cache):
    keys = ["process", "class", "kept"]
    sections.move_to((CLASS, TEST))
    assert cache.get_many(keys) == {}
    cache.set("kept", "test")
    with sections.at(1):
        assert cache.get_many(keys) == {}
        cache.set("class", 1)
        with sections.at(0):
            cache.set("process", 1)
            assert cache.get("class") is None
        assert cache.get_many(keys) == {"process": 1, "class": 1}
    assert cache.get_many(keys) == {"process": 1, "class": 1, "kept": "test"}


def test_a_visit_from_a_scope_opened_in_a_visit_undoes_nothing_there(sections, cache):
    sections.move_to((CLASS, TEST))
    with sections.at(1):
        cache.set("key", "class")
        sections.begin(BLOCK)
        cache.set("key", "block")
        with sections.at(1):
            cache.set("other", "class")
        assert cache.get_many(["key", "other"]) == {"key": "block", "other": "class"}
        sections.end()
    assert cache.get_many(["key", "other"]) == {"key": "class", "other": "class"}


def test_two_aliases_of_one_place_share_their_sections(
    sections, kind, opened, locations
):
    location = locations(kind)
    one, other = (opened(kind, location=location) for _ in range(2))
    with sections.opened(CLASS):
        one.set("key", 1)
        assert other.get("key") == 1
        with sections.opened(TEST):
            assert other.get("key") == 1
            other.set("key", 2)
            assert one.get("key") == 2
            one.clear()
            assert other.get("key") is None
        assert other.get("key") == 1


def test_a_prefix_keeps_two_aliases_of_one_place_apart(
    sections, kind, opened, locations
):
    location = locations(kind)
    one = opened(kind, location=location, KEY_PREFIX="one")
    other = opened(kind, location=location, KEY_PREFIX="other", VERSION=7)
    sections.begin(CLASS)
    one.set("key", 1)
    other.set("key", 2)
    with sections.opened(TEST):
        assert (one.get("key"), other.get("key")) == (1, 2)
        assert other.get("key", version=7) == 2
        one.delete("key")
        assert (one.get("key"), other.get("key")) == (None, 2)
    assert (one.get("key"), other.get("key")) == (1, 2)


def test_other_places_have_sections_of_their_own(sections, kind, opened, locations):
    if "py" in kind:
        pytest.skip("there is one server")
    one = opened(kind)
    if kind in REDIS_KINDS and not kind.endswith("sharded"):
        other = opened(kind, location=f"{locations(kind)}/3")
    else:
        other = opened(kind)
    with sections.opened(TEST):
        one.set("key", 1)
        assert other.get("key") is None
        other.set("key", 2)
        one.clear()
        assert other.get("key") == 2


def test_a_cache_of_another_thread_sees_the_tests_section(
    sections, kind, opened, locations
):
    if kind == "database":
        pytest.skip("it is in memory, for each thread another one")
    location = locations(kind)
    cache = opened(kind, location=location)
    with ThreadPoolExecutor(1) as thread, sections.opened(CLASS):
        its_own = thread.submit(opened, kind, location=location).result()
        cache.set("key", 1)
        with sections.opened(TEST):
            assert thread.submit(its_own.get, "key").result() == 1
            thread.submit(its_own.set, "key", 2).result()
            assert cache.get("key") == 2
        assert thread.submit(its_own.get, "key").result() == 1
        thread.submit(connections.close_all).result()


def custom_key(key, prefix, version):
    return f"/{version}:{key}"


def test_a_key_function_may_leave_out_the_prefix(sections, kind, opened):
    cache = opened(kind, KEY_FUNCTION=f"{__name__}.custom_key")
    with sections.opened(CLASS):
        cache.set("key", 1)
        with sections.opened(TEST):
            assert cache.get("key") == 1
            assert cache.incr_version("key") == 2
            cache.clear()
            assert cache.get("key", version=2) is None
        assert cache.get("key") == 1
    assert cache.get("key") is None


def test_a_test_may_exchange_the_key_function(sections, cache):
    with sections.opened(CLASS):
        cache.set("key", 1)
        with sections.opened(TEST):
            before = cache.key_func
            cache.key_func = custom_key
            assert cache.key_func == custom_key
            assert cache.get("key") is None
            cache.set("key", 2)
            assert cache.get("key") == 2
            cache.key_func = before
            assert cache.get("key") == 1
            with mock.patch.object(cache, "key_func", custom_key):
                assert cache.get("key") == 2
            assert cache.get("key") == 1
            with mock.patch.object(cache, "set") as mocked:
                cache.set("key", 3)
            mocked.assert_called_once_with("key", 3)
            assert cache.get("key") == 1
        with mock.patch.object(cache, "key_func", custom_key):
            assert cache.get("key") is None
        assert cache.get("key") == 1


def test_a_copy_of_a_cache_is_in_the_same_sections(sections, cache):
    with sections.opened(CLASS):
        cache.set("key", 1)
        copied = copy.copy(cache)
        with sections.opened(TEST):
            assert copied.get("key") == 1
            copied.set("key", 2)
            assert cache.get("key") == 2
            copied.clear()
            assert cache.get("key") is None
        assert copied.get("key") == 1


def pickled(cache):
    return pickle.loads(pickle.dumps(cache))


@pytest.mark.parametrize("way", [copy.deepcopy, pickled])
def test_a_cache_that_can_be_pickled_stays_in_its_sections(sections, kind, opened, way):
    plain = opened(kind, is_isolated=False)
    try:
        way(plain)
    except Exception as error:  # noqa: BLE001
        pytest.skip(f"plain Django can't either: {error}")
    cache = opened(kind)
    other = way(cache)
    with sections.opened(TEST):
        cache.set("key", 1)
        assert (other.get("key") == 1) is (kind != "custom")
        other.set("other", 1)
        assert (cache.get("other") == 1) is (kind != "custom")
    assert other.get("other") is None


def test_a_copy_that_outlives_its_original_is_tidied_up(sections, kind, opened):
    copied = copy.copy(opened(kind, is_kept=False))
    with sections.opened(CLASS), sections.opened(TEST):
        copied.set("key", 1)
        (space,) = sections.stores[0]._spaces.values()
        assert space.section.stored() != []
    assert not space.has_waiting
    close(copied)


def test_raw_keys_are_for_those_who_ask(sections, kind, opened, locations):
    location, key = locations(kind), f"raw-{kind}"
    cache = opened(kind, location=location)
    plain = opened(kind, location=location, is_isolated=False)
    raw = Scope(ScopeKind.TEST, "app.tests.Tests.test_raw", is_raw=True)
    cache.set(key, "of process")
    with sections.opened(raw):
        assert raw_key(cache, key) == raw_key(plain, key)
        assert cache.get(key) is None
        cache.set(key, "raw")
        assert plain.get(key) == "raw"
        cache.delete(key)
        with sections.opened(BLOCK):
            assert cache.get(key) == "of process"
    assert cache.get(key) == "of process"
