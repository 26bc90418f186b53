"""What becomes of names that can't be deleted: kept once, or dropped; never copied."""

import contextlib
import os

import pytest

from ci_cache_isolation.isolation import keyspace, notices, process
from ci_cache_isolation.isolation.journal import dead
from ci_cache_isolation.isolation.purging import purge
from ci_cache_isolation.isolation.stack import ScopeStack
from ci_cache_isolation.isolation.stores.sectioned import SectionedStore
from tests.shared_caches import CLASS, TEST, DictionaryCache, dictionaries, leave

pytestmark = pytest.mark.usefixtures("own_notices")

BACKEND = "tests.unit.isolation.test_keyspace.FussyCache"


class FussyCache(DictionaryCache):
    """Its server may be down, and its client refuses what is no UTF-8."""

    is_down = False
    asked = 0

    def set(self, key, *args, **kwargs):
        made = self.make_key(key)
        made.encode()
        super().set(key, *args, **kwargs)

    def delete_many(self, keys, version=None):
        type(self).asked += 1
        if self.is_down:
            raise ConnectionError("nobody listens")
        for key in [self.make_and_validate_key(key, version) for key in keys]:
            key.encode()
        for key in keys:
            self.delete(key, version)


@pytest.fixture(autouse=True)
def fussy(monkeypatch, settings, request):
    location = f"fussy-{request.node.name}"
    monkeypatch.setattr(FussyCache, "is_down", False)
    monkeypatch.setattr(FussyCache, "asked", 0)
    settings.CACHES = {"default": {"BACKEND": BACKEND, "LOCATION": location}}
    return dictionaries.setdefault(location, {})


@pytest.fixture
def become(monkeypatch):
    def become(token):
        monkeypatch.setattr(process, "_drawn", (os.getpid(), token))

    return become


@pytest.fixture
def run(become, settings, store):
    """Be a process of its own, whose one test stores something under keys."""

    def run(token, *keys, exits=1):
        become(token)
        keyspace.JOURNAL.after_fork()
        made = SectionedStore()
        made.activate()
        cache = FussyCache(settings.CACHES["default"]["LOCATION"], {})
        made.adopt("default", cache)
        sections = ScopeStack([made])
        with sections.opened(CLASS), sections.opened(TEST):
            for key in keys:
                with contextlib.suppress(UnicodeEncodeError):
                    cache.set(key, 1)
        for _ in range(exits):
            leave(made)
        made.deactivate()
        keyspace.JOURNAL.after_fork()

    return run


def left():
    return sorted(name[-1] for each in dead() for name in each.names)


def test_a_key_that_the_client_refuses_keeps_no_other_from_being_deleted(run, fussy):
    run("aaaaaa", "a", "bad\udcff", "b")
    assert fussy == {}
    assert left() == []
    (said,) = notices.take()
    assert said == (
        f"The client of cache 'default' ({BACKEND}, {list(dictionaries)[-1]}) refuses "
        "a key that a test used: UnicodeEncodeError: 'utf-8' codec can't encode "
        "character '\\udcff' in position 18: surrogates not allowed. Nothing is stored "
        "under such keys, so they are not kept in mind. Look for what makes them, if "
        "it is not what that test is about."
    )


def test_many_that_are_refused_among_many_cost_few_questions(run, fussy):
    run("aaaaaa", *map(str, range(900)), "bad\udcff")
    assert fussy == {}
    assert FussyCache.asked < 60


def test_what_a_server_that_is_down_does_not_delete_is_kept_once(run, fussy, become):
    FussyCache.is_down = True
    tokens = ["aaaaaa", "bbbbbb", "cccccc", "dddddd", "eeeeee"]
    for token, key in zip(tokens, "abcde", strict=True):
        run(token, key)
    become("ffffff")
    assert left() == list("abcde")
    FussyCache.is_down = False
    run("ffffff", "f")
    become("gggggg")
    assert left() == []
    assert fussy == {}


def test_a_server_that_is_down_is_asked_twice_by_a_process_however_much_is_left(run):
    FussyCache.is_down = True
    for token in ("aaaaaa", "bbbbbb", "cccccc"):
        run(token, "a")
    FussyCache.asked = 0
    run("dddddd", "a")
    assert FussyCache.asked == 2


def test_a_process_that_ends_twice_forgets_nothing(run, become, fussy, tmp_path):
    FussyCache.is_down = True
    run("aaaaaa", "a", exits=2)
    run("bbbbbb", "b", exits=2)
    assert not list((tmp_path / "state").glob(".*"))
    become("cccccc")
    assert left() == ["a", "b"]


def test_a_fork_of_many_leaves_to_its_parent_what_others_left(run, become, fussy):
    FussyCache.is_down = True
    run("aaaaaa", "a")
    FussyCache.is_down = False
    try:
        keyspace.JOURNAL.leaves_the_dead = True
        run("bbbbbb", "b")
    finally:
        keyspace.JOURNAL.leaves_the_dead = False
    become("cccccc")
    assert left() == ["a"]
    assert [name[-1] for name in fussy] == ["a"]


def test_purge_drops_what_the_client_refuses_and_deletes_the_rest(run, become, fussy):
    FussyCache.is_down = True
    run("aaaaaa", "a", "bad\udcff", "b")
    FussyCache.is_down = False
    become("cccccc")
    (purged,) = purge()
    assert (purged.names, purged.refused, purged.error) == (3, 1, "")
    assert fussy == {}
    assert list(purge()) == []


def test_purge_asks_a_server_that_is_down_once(run, become, fussy):
    FussyCache.is_down = True
    try:
        keyspace.JOURNAL.leaves_the_dead = True
        for token in ("aaaaaa", "bbbbbb", "cccccc"):
            run(token, "a")
    finally:
        keyspace.JOURNAL.leaves_the_dead = False
    become("dddddd")
    FussyCache.asked = 0
    assert [each.error for each in purge()] == ["ConnectionError: nobody listens"] * 3
    assert FussyCache.asked == 1
    assert left() == ["a"] * 3
