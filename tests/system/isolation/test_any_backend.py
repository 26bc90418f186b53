"""Backends of other people: the kit of calls finds nothing broken in any of them."""

import functools
import pickle
import sqlite3
import uuid
from fnmatch import fnmatch
from types import SimpleNamespace

import diskcache
import pytest
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.redis import RedisCache
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django_mysql.cache import MySQLCache

from ci_cache_isolation.isolation import journal, keyspace, notices
from ci_cache_isolation.isolation.purging import purge
from tests.kit import Kit
from tests.shared_caches import CLASS, TEST, DictionaryCache, Router, dictionaries
from tests.system.isolation.test_rollbacks import SEEDS, rows, see_the_same

pytestmark = pytest.mark.usefixtures("nothing_to_say")

SCOPES = {"class": CLASS, "test": TEST}


class TypedCache(DictionaryCache):
    """It looks at the type of a key, before it makes it and after."""

    def make_and_validate_key(self, key, version=None):
        assert type(key) is str
        made = super().make_and_validate_key(key, version)
        return made if type(made) is str else pickle.dumps(made)


class RebindingCache(DictionaryCache):
    """It counts its calls by methods of the object, as tools put them there."""

    def __init__(self, location, params):
        super().__init__(location, params)
        self.calls = 0
        for name in ("get", "set", "add", "delete", "touch", "clear", "has_key"):
            setattr(self, name, self._counted(getattr(self, name)))

    def _counted(self, method):
        @functools.wraps(method)
        def counted(*args, **kwargs):
            self.calls += 1
            return method(*args, **kwargs)

        return counted


class ClientCache(BaseCache):
    """All that it does it has from a client, and nothing from its class."""

    def __init__(self, location, params):
        super().__init__(params)
        self._location = location
        self._inner = DictionaryCache(location, {})
        for name in ("get", "set", "add", "delete", "touch", "has_key"):
            setattr(self, name, self._keyed(getattr(self._inner, name)))
        self.clear = self._inner.clear
        self._inner.key_func = lambda key, *_: key
        self._inner.validate_key = lambda _: None

    def _keyed(self, method):
        def keyed(key, *args, version=None, **kwargs):
            return method(self.make_and_validate_key(key, version), *args, **kwargs)

        return keyed


class EmptyingCache(DictionaryCache):
    """It has a ``clear`` of its own, that does all by itself."""

    def clear(self):
        dictionaries[self._location].clear()


class MadeKeysCache(DictionaryCache):
    """It returns the keys that it made."""

    def get_many(self, keys, version=None):
        made = {self.make_key(key, version): key for key in keys}
        missing = object()
        found = {name: self.get(made[name], missing, version) for name in made}
        return {name: each for name, each in found.items() if each is not missing}


class HiddenCache(DictionaryCache):
    """It does not show where its entries are."""

    def __init__(self, location, params):
        super().__init__(location, params)
        del self._location


class SearchingCache(DictionaryCache):
    """It finds keys by a pattern."""

    def keys(self, pattern="*"):
        made = self.make_key(pattern)
        start = len(made) - len(pattern)
        return sorted(each[start:] for each in self.entries if fnmatch(each, made))


class FlushingCache(RedisCache):
    """A project's own, whose authors did not think of others."""

    def clear(self):
        self._cache.get_client(None, write=True).flushdb()


class Disks:
    """diskcache in folders of the test's own."""

    def __init__(self, folder):
        self.folder = folder
        self.made = []

    def __call__(self, location, params):
        cache = diskcache.DjangoCache(str(self.folder / location), params)
        self.made.append(cache)
        return cache


def said(broken):
    return [f"{each.promise}: {each.said}" for each in broken]


@pytest.fixture
def kit(opened, sections):
    """Run the kit on a class of caches that share what has one LOCATION."""

    def run(cache_class, kind="custom", places=None, **params):
        place, other = places or (uuid.uuid4().hex, uuid.uuid4().hex)
        of_class = functools.partial(opened, kind, cache_class=cache_class, **params)
        plain = of_class(location=other, is_isolated=False)
        foreign = of_class(location=place, is_isolated=False)
        cache = of_class(location=place)
        scopes = {"class": CLASS, "test": TEST}
        return said(
            Kit(
                plain, cache, lambda name: sections.opened(scopes[name]), foreign
            ).broken()
        )

    return run


@pytest.mark.parametrize(
    "cache_class",
    [
        DictionaryCache,
        TypedCache,
        RebindingCache,
        ClientCache,
        EmptyingCache,
        HiddenCache,
    ],
)
def test_a_project_s_own_backend(kit, cache_class):
    assert kit(cache_class) == []


def test_a_backend_that_is_not_isolated_breaks_what_the_kit_looks_for(opened, sections):
    # Its twin, with isolation off.
    place = uuid.uuid4().hex
    plain, foreign, cache = (
        opened("custom", location=each, is_isolated=False)
        for each in (uuid.uuid4().hex, place, place)
    )
    scopes = {"class": CLASS, "test": TEST}
    broken = Kit(
        plain, cache, lambda name: sections.opened(scopes[name]), foreign
    ).broken()
    assert {each.promise for each in broken} == {
        "a test's changes are undone",
        "nothing is left",
        "others' entries are not touched",
    }


@pytest.fixture
def disks(monkeypatch):
    """diskcache leaves the connections of threads that have ended open: close them."""
    made = []

    def connect(*args, **options):
        made.append(sqlite3.connect(*args, **options, check_same_thread=False))
        return made[-1]

    module = SimpleNamespace(**{**vars(sqlite3), "connect": connect})
    monkeypatch.setattr(diskcache.core, "sqlite3", module)
    yield
    for each in made:
        each.close()


on_disk = pytest.mark.usefixtures("disks")


@on_disk
def test_diskcache(kit, tmp_path):
    places = str(tmp_path / "one"), str(tmp_path / "other")
    assert kit(diskcache.DjangoCache, places=[places[0], places[1]]) == []


@on_disk
def test_a_cache_in_two_folders_is_two_places(sections, opened, tmp_path):
    one, other = (
        opened(
            alias,
            location=str(tmp_path / alias),
            cache_class=diskcache.DjangoCache,
        )
        for alias in ("custom", "files")
    )
    with sections.opened(CLASS):
        one.set("key", 1)
        other.set("key", 2)
        with sections.opened(TEST):
            one.clear()
            assert (one.get("key"), other.get("key")) == (None, 2)
            other.set("key", 3)
        assert (one.get("key"), other.get("key")) == (1, 2)
    assert list(one._cache) == list(other._cache) == []


@on_disk
def test_what_makes_no_key_is_said_once(sections, opened, tmp_path):
    cache = opened("custom", location=str(tmp_path), cache_class=diskcache.DjangoCache)
    with sections.opened(TEST):
        cache.set("key", 1, tag="mine")
        for _ in range(2):
            cache.evict("mine")
        cache.deque("queue").append(1)
        cache.index("index")["key"] = 1
        # These make keys, by themselves or later.
        cache.pop("key")
        cache.memoize()(str)(1)
    said = notices.take()
    assert [each.partition("()")[0] for each in said] == ["evict", "deque", "index"]
    assert said[0].startswith(
        "evict() of cache 'custom' is not isolated: in backend "
        "diskcache.djangocache.DjangoCache it makes no key. What it reads, changes or "
        "deletes are also entries of other tests, processes and people,"
    )


@on_disk
def test_what_a_killed_run_left_on_a_disk_is_purged(
    sections, opened, settings, monkeypatch, tmp_path
):
    location = str(tmp_path / "disk")
    settings.CACHES = {
        "custom": {"BACKEND": "diskcache.DjangoCache", "LOCATION": location}
    }
    cache = opened("custom", location=location, cache_class=diskcache.DjangoCache)
    cache._cache[":1:theirs"] = 1
    with sections.opened(CLASS):
        cache.set("key", 1)
        assert len(list(cache._cache)) == 2
        # As if this process were killed here.
        keyspace.JOURNAL.leave()
        sections.stores[0]._spaces.clear()
    monkeypatch.setattr(journal, "process_token", lambda: "another")
    assert [(each.names, each.error) for each in purge()] == [(1, "")]
    assert list(cache._cache) == [":1:theirs"]


def test_a_search_finds_what_enclosing_scopes_stored(sections, opened):
    cache = opened("custom", cache_class=SearchingCache)
    with sections.opened(CLASS):
        cache.set_many({"a-1": 1, "b": 1})
        with sections.opened(TEST):
            cache.set("a-2", 2)
            assert cache.keys("a-*") == ["a-1", "a-2"]
        assert cache.keys() == ["a-1", "b"]


def test_keys_that_a_backend_returns_as_it_made_them_are_the_user_s(sections, opened):
    plain = opened("custom", cache_class=MadeKeysCache, is_isolated=False)
    cache = opened("custom", cache_class=MadeKeysCache)
    for each in (plain, cache):
        each.set_many({"a": 1, "b": 2})
    with sections.opened(TEST):
        assert cache.get_many("abc") == plain.get_many("abc") == {":1:a": 1, ":1:b": 2}


def test_a_clear_that_would_flush_the_server_does_not(sections, opened, redis_server):
    with redis_server.client() as client:
        client.set("theirs", 1)
        cache = opened("redis", cache_class=FlushingCache)
        with sections.opened(CLASS):
            cache.set("key", 1)
            with sections.opened(TEST):
                cache.clear()
                assert cache.get("key") is None
            assert cache.get("key") == 1
        assert client.get("theirs") == b"1"
        client.delete("theirs")


class TestMySQLCache:
    """Rows of a table, like those of DatabaseCache, on MariaDB."""

    @pytest.fixture
    def place(self, opened, settings):
        opened("mariadb")

        def new():
            table = f"table_{uuid.uuid4().hex[:12]}"
            routers = [*settings.DATABASE_ROUTERS, Router(table, "mariadb")]
            settings.DATABASE_ROUTERS = routers
            with connections["mariadb"].cursor() as cursor:
                cursor.execute(MySQLCache.create_table_sql.format(table_name=table))
            return table

        return new

    @pytest.fixture
    def of_mysql(self, opened, place):
        def open_cache(**options):
            options = {"location": place(), **options}
            return opened("custom", cache_class=MySQLCache, **options)

        return open_cache

    def test_the_kit_finds_nothing_broken(self, kit, place):
        options = {"OPTIONS": {"CULL_PROBABILITY": 0}}
        assert kit(MySQLCache, places=[place(), place()], **options) == []

    @pytest.mark.parametrize("seed", SEEDS)
    def test_random_programs_see_what_they_see_without_isolation(
        self, sections, of_mysql, seed
    ):
        see_the_same(of_mysql(is_isolated=False), of_mysql(), sections, seed)

    def test_a_first_touch_makes_no_query_more(self, sections, of_mysql):
        cache = of_mysql(OPTIONS={"CULL_PROBABILITY": 0})
        with sections.opened(CLASS):
            cache.set("key", {"a": 1})
            with sections.opened(TEST):
                with CaptureQueriesContext(connections["mariadb"]) as captured:
                    assert cache.get("key") == {"a": 1}
                assert len(captured) == 1
        assert rows(cache) == []

    @pytest.mark.parametrize("frequency", [0, 2, 3])
    def test_culling_leaves_what_it_leaves_plainly(self, sections, of_mysql, frequency):
        options = {
            "MAX_ENTRIES": 6, "CULL_FREQUENCY": frequency, "CULL_PROBABILITY": 0
        }  # fmt: skip
        plain = of_mysql(OPTIONS=options, is_isolated=False)
        cache = of_mysql(OPTIONS=options)
        theirs = of_mysql(location=cache._table, is_isolated=False)
        theirs.set_many(dict.fromkeys("stuvwxyz", 1))
        keys = [f"key-{number}" for number in range(10)]
        plain.set_many(dict.fromkeys(keys, 1))
        plain.set("past", 1, -1)
        with sections.opened(CLASS):
            cache.set_many(dict.fromkeys(keys[:4], 1))
            with sections.opened(TEST):
                cache.set_many(dict.fromkeys(keys[4:], 1))
                cache.set("past", 1, -1)
                assert cache.cull() == plain.cull()
                assert cache.get_many(keys) == plain.get_many(keys)
            assert len(cache.get_many(keys)) == 4
        assert len(theirs.get_many("stuvwxyz")) == 8

    def test_a_prefix_finds_what_enclosing_scopes_stored(self, sections, of_mysql):
        cache = of_mysql()
        with sections.opened(CLASS):
            cache.set_many({"a-1": 1, "a-2": 2, "b": 3})
            with sections.opened(TEST):
                cache.set("a-3", 3)
                assert cache.keys_with_prefix("a-") == {"a-1", "a-2", "a-3"}
                assert cache.get_with_prefix("a-") == {"a-1": 1, "a-2": 2, "a-3": 3}
                assert cache.delete_with_prefix("a-") == 3
                assert cache.get_many(["a-1", "b"]) == {"b": 3}
            assert cache.keys_with_prefix("a-") == {"a-1", "a-2"}
        assert rows(cache) == []


MADE_OF_OTHERS = """
    from django.core.cache import caches
    from django.core.cache.backends.base import BaseCache

    class Fallback(BaseCache):
        def __init__(self, name, params):
            super().__init__(params)
            self.others = [caches.create_connection(each) for each in ("one", "two")]

        def all_do(self, name, *args):
            return [getattr(each, name)(*args) for each in self.others][0]

        def get(self, key, default=None, version=None):
            return self.all_do("get", key, default, version)

        def set(self, key, value, timeout=None, version=None):
            return self.all_do("set", key, value, timeout, version)

        def clear(self):
            return self.all_do("clear")

    class Asking(Fallback):
        def __init__(self, name, params):
            BaseCache.__init__(self, params)

        @property
        def others(self):
            return caches["one"], caches["two"]

        def clear(self):
            for each in (caches["one"], caches["two"]):
                each.clear()
"""
OTHERS = """
    SECRET_KEY = "not a secret"
    USE_TZ = True
    TEST_RUNNER = "ci_cache_isolation.runner.IsolatedRunner"
    CACHES = {{
        "default": {{"BACKEND": "own.Fallback"}},
        "asking": {{"BACKEND": "own.Asking"}},
        "one": {{"BACKEND": "{django}.redis.RedisCache", "LOCATION": {redis!r}}},
        "two": {{"BACKEND": "{django}.locmem.LocMemCache"}},
    }}
"""
MEETING_IN_OTHERS = """
    from django.core.cache import caches
    from django.test import SimpleTestCase

    class Tests(SimpleTestCase):
        def test_a(self):
            for alias in ("default", "asking"):
                self.assertIsNone(caches[alias].get("key"))
                caches[alias].set("key", alias)
                self.assertEqual(caches[alias].get("key"), alias)
                caches[alias].clear()
                self.assertIsNone(caches[alias].get("key"))
            caches["default"].set("key", 1)

        test_b = test_a
"""


def test_what_hands_on_to_other_caches_is_as_isolated_as_they_are(
    project, redis_server
):
    redis_server.client().set("theirs", 1)
    django = "django.core.cache.backends"
    project.write("own", MADE_OF_OTHERS)
    project.write("settings", OTHERS.format(django=django, redis=redis_server.location))
    project.write("tests", MEETING_IN_OTHERS)
    done = project.run("-W", "always", "-m", "django", "test")
    assert done.returncode == 0, done.stderr
    assert "is not isolated" not in done.stderr
    assert redis_server.client().getdel("theirs") == b"1"


MAKING_ITS_OWN = """
    from django.conf import settings
    from django.core.cache.backends.base import BaseCache
    from django.core.cache.backends.redis import RedisCache

    class Own(BaseCache):
        def __init__(self, name, params):
            super().__init__(params)
            self.other = RedisCache(name, {})

        def set(self, key, value, timeout=None, version=None):
            self.other.set(key, value)

        def clear(self):
            self.other.clear()
"""
CLEARING_ITS_OWN = """
    from django.core.cache import cache
    from django.test import SimpleTestCase

    class Tests(SimpleTestCase):
        def test_a(self):
            cache.set("key", 1)
            cache.clear()
"""


def test_what_makes_a_cache_by_itself_empties_no_server(project, redis_server):
    redis_server.client().set("theirs", 1)
    project.write("own", MAKING_ITS_OWN)
    django = "django.core.cache.backends"
    settings = OTHERS.format(django=django, redis=redis_server.location)
    own = f'"own.Own", "LOCATION": {redis_server.location!r}'
    settings = settings.replace('"own.Fallback"', own).replace("own.Asking", "own.Own")
    project.write("settings", settings)
    project.write("tests", CLEARING_ITS_OWN)
    done = project.run("-W", "always", "-m", "django", "test")
    assert done.returncode == 0, done.stderr
    assert "Cache 'default' is not isolated: its backend own.Own" in done.stderr
    assert redis_server.client().getdel("theirs") == b"1"
    redis_server.client().delete(":1:key")
