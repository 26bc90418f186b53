"""What is sent to a server because of sections: copies, and deletions in batches."""

import copy
import threading
from contextlib import contextmanager

import pytest

from ci_cache_isolation.isolation import keyspace, notices
from tests import servers
from tests.shared_caches import BLOCK, CLASS, OTHER_TEST, TEST, leave

pytestmark = pytest.mark.usefixtures("nothing_to_say")

NOT_DELETED = (
    "What tests stored in cache 'redis' (django.core.cache.backends.redis.RedisCache, "
    "{location}) could not be deleted: {error}. It stays on the server, where no test "
    "sees it. `cache-isolation purge` deletes it later."
)
NOT_COPIED = (
    "What an enclosing scope stored under a key of cache 'redis' could not be brought "
    "into a test's section: {error}. The test does not see it. Read the server's "
    "log, or store it in the test itself."
)


@pytest.fixture
def own_server():
    """A Redis that no other test uses, so that it can be counted on, and stopped."""
    with servers.running("redis") as server:
        yield server


@pytest.fixture
def cache(own_server, opened):
    return opened("redis", location=own_server.location)


@contextmanager
def sent_to(server):
    """List the commands that a server gets meanwhile, but not those about itself."""
    client = server.client()
    client.config_resetstat()
    sent = {}
    yield sent
    for name, about in client.info("commandstats").items():
        command = name.removeprefix("cmdstat_")
        if not command.startswith(("config", "info", "client", "hello", "auth")):
            sent[command] = about["calls"]
    client.close()


def test_scopes_in_which_nothing_is_touched_send_nothing(sections, cache, own_server):
    with sent_to(own_server) as sent:
        sections.move_to((CLASS, TEST))
        sections.move_to((CLASS, OTHER_TEST))
        with sections.opened(BLOCK), sections.at(1):
            cache.clear()
        sections.move_to(())
        sections.tidy()
    assert sent == {}


def test_a_test_that_only_reads_sends_its_reads_and_no_more(
    sections, cache, own_server
):
    with sent_to(own_server) as sent, sections.opened(CLASS), sections.opened(TEST):
        assert cache.get("key") is None
        assert not cache.has_key("key")
        assert cache.get_many(["a", "b"]) == {}
        assert not cache.delete("key")
        cache.delete_many(["a", "b"])
    assert sent == {"get": 1, "exists": 1, "mget": 1, "del": 2}


def test_a_key_is_copied_once_and_only_when_it_is_asked_for(
    sections, cache, own_server
):
    sections.begin(CLASS)
    cache.set_many({f"key-{number}": 1 for number in range(10)})
    with sent_to(own_server) as sent, sections.opened(TEST):
        for _ in range(3):
            assert cache.get("key-1") == 1
        assert cache.get("absent") is None
    assert sent == {"copy": 1, "get": 4}


def test_what_tests_stored_is_deleted_together_when_the_class_ends(
    sections, cache, own_server
):
    client = own_server.client()
    client.set(":1:key", "before")
    sections.begin(CLASS)
    cache.set("of-class", 1)
    with sent_to(own_server) as sent:
        for test in (TEST, OTHER_TEST) * 5:
            with sections.opened(test):
                cache.set_many({"key": 1, "other": 1})
                cache.add("added", 1)
    assert "unlink" not in sent
    assert client.dbsize() == 32
    with sent_to(own_server) as sent:
        sections.end()
    assert sent == {"unlink": 1}
    assert client.keys("*") == [b":1:key"]
    client.close()


def test_much_is_deleted_sooner_and_in_batches(sections, cache, own_server):
    sections.begin(CLASS)
    with sent_to(own_server) as sent, sections.opened(TEST):
        cache.set_many(dict.fromkeys(map(str, range(2500)), 1))
    assert sent["unlink"] == 3
    assert own_server.client().dbsize() == 0
    with sent_to(own_server) as sent:
        sections.end()
    assert sent == {}
    assert keyspace.BATCH == 1000


def test_clearing_sends_nothing_and_flushes_nobody(sections, cache, own_server):
    with sections.opened(CLASS):
        cache.set("key", 1)
        with sections.opened(TEST), sent_to(own_server) as sent:
            cache.clear()
    assert sent == {}
    assert own_server.client().dbsize() == 0


def test_what_the_process_stored_is_deleted_at_its_end(store, cache, own_server):
    cache.set("key", 1)
    cache.clear()
    cache.set("other", 1)
    assert own_server.client().dbsize() == 2
    leave(store)
    assert own_server.client().dbsize() == 0


def test_a_scope_that_is_put_aside_is_deleted_at_the_end_too(
    store, sections, cache, own_server
):
    sections.move_to((CLASS, TEST))
    cache.set("key", 1)
    with sections.at(1):
        leave(store)
    assert own_server.client().dbsize() == 0


def test_a_server_that_is_gone_is_said_once_and_asked_no_more(opened, sections):
    with servers.running("redis") as server:
        cache = opened("redis", location=server.location)
        sections.begin(CLASS)
        with sections.opened(TEST):
            cache.set("key", 1)
    asked = []
    space = next(iter(sections.stores[0]._spaces.values()))
    delete = space.dialect.delete
    try:
        space.dialect.delete = lambda *given: asked.append(given) or delete(*given)
        for _ in range(5):
            sections.end()
            sections.begin(CLASS)
            with sections.opened(TEST), pytest.raises(Exception, match="Connection"):
                cache.set("key", 1)
    finally:
        del space.dialect.delete
    assert len(asked) == 1
    (text,) = notices.take()
    error = text.partition("deleted: ")[2].partition(". It stays")[0]
    assert text == NOT_DELETED.format(location=server.location, error=error)
    assert error.startswith("ConnectionError: ")
    leave(sections.stores[0])
    assert space.has_waiting
    notices.take()


def test_a_server_that_comes_back_is_tidied_up_at_the_end(
    sections, store, cache, own_server, monkeypatch
):
    dialect = next(iter(store._spaces.values())).dialect
    sections.begin(CLASS)
    cache.set("key", 1)
    with monkeypatch.context() as patched:
        patched.setattr(dialect, "delete", lambda *_: 1 / 0)
        sections.end()
    (text,) = notices.take()
    error = "ZeroDivisionError: division by zero"
    assert text == NOT_DELETED.format(location=own_server.location, error=error)
    assert own_server.client().dbsize() == 1
    leave(store)
    assert own_server.client().dbsize() == 0


def test_a_copy_that_fails_is_a_notice_and_no_error(
    sections, cache, monkeypatch, store
):
    dialect = next(iter(store._spaces.values())).dialect
    with sections.opened(CLASS):
        cache.set("key", 1)
        with monkeypatch.context() as patched, sections.opened(TEST):
            patched.setattr(dialect, "copy", lambda *_: 1 / 0)
            assert cache.get("key") is None
        with sections.opened(OTHER_TEST):
            assert cache.get("key") == 1
    (text,) = notices.take()
    error = "ZeroDivisionError: division by zero"
    assert text == NOT_COPIED.format(error=error)


def test_a_password_is_in_no_notice(opened, sections):
    location = "redis://user:hush@127.0.0.1:1/0"
    cache = opened("redis", location=location)
    with sections.opened(CLASS), pytest.raises(Exception, match="Connection"):
        cache.set("key", 1)
    (text,) = notices.take()
    assert "(django.core.cache.backends.redis.RedisCache, redis://user:***@" in text
    assert "hush" not in text


def test_an_old_server_that_cannot_copy_is_dumped_and_restored(
    sections, cache, own_server
):
    client = own_server.client()
    sections.begin(CLASS)
    cache.set("key", {"a": 1}, 100)
    cache.set("ever", 1, None)
    client.acl_setuser("default", commands=["-copy"], enabled=True)
    with sections.opened(TEST):
        assert cache.get("key") is None
    assert len(notices.take()) == 1
    client.acl_setuser("default", commands=["+copy"], enabled=True)
    with sections.opened(TEST):
        assert cache.get("key") == {"a": 1}
    sections.end()
    client.close()


def test_threads_that_ask_for_one_key_at_once_all_see_it(sections, opened):
    cache = opened("redis")
    failures = []
    with sections.opened(CLASS):
        cache.set_many({str(number): number for number in range(200)})
        with sections.opened(TEST):

            def read():
                seen = [cache.get(str(number)) for number in range(200)]
                if seen != list(range(200)):
                    failures.append(seen)

            threads = [threading.Thread(target=read) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    assert failures == []


def test_a_cache_that_is_gone_is_deleted_for(sections, own_server, opened):
    with sections.opened(CLASS):
        opened("redis", location=own_server.location, is_kept=False).set("key", 1)
        copied = copy.copy(opened("redis", location=own_server.location, is_kept=False))
        copied.set("copied", 1)
        del copied
    assert own_server.client().dbsize() == 0
