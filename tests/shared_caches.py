"""Caches of every kind whose entries live outside the process, in a stack of their own.

``opened(kind)`` of a fixture gives a cache on a real server, table or directory;
`KINDS` are all of those that are used with Django's plain methods.
"""

import atexit
import itertools
import time
import uuid
from contextlib import ExitStack, closing
from unittest import mock

import pytest
from django.core.cache import InvalidCacheBackendError
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.management import call_command
from django.db import connections
from django.utils.module_loading import import_string

from ci_cache_isolation.isolation import journal, notices
from ci_cache_isolation.isolation.scopes import Scope, ScopeKind
from ci_cache_isolation.isolation.stack import ScopeStack
from ci_cache_isolation.isolation.stores.sectioned import SectionedStore

CLASS = Scope(ScopeKind.CLASS, "app.tests.Tests")
TEST = Scope(ScopeKind.TEST, "app.tests.Tests.test")
OTHER_TEST = Scope(ScopeKind.TEST, "app.tests.Tests.test_other")
BLOCK = Scope(ScopeKind.BLOCK, "isolated")

_JSON = {"SERIALIZER": "django_redis.serializers.json.JSONSerializer"}
_BACKENDS = {
    "redis": ("django.core.cache.backends.redis.RedisCache", {}),
    "django-redis": ("django_redis.cache.RedisCache", {}),
    "django-redis-json": ("django_redis.cache.RedisCache", _JSON),
    "django-redis-herd": (
        "django_redis.cache.RedisCache",
        {"CLIENT_CLASS": "django_redis.client.HerdClient"},
    ),
    "django-redis-sharded": (
        "django_redis.cache.RedisCache",
        {"CLIENT_CLASS": "django_redis.client.ShardClient"},
    ),
    "django-valkey": ("django_valkey.cache.ValkeyCache", {}),
    "django-valkey-async": ("django_valkey.async_cache.cache.AsyncValkeyCache", {}),
    "pymemcache": ("django.core.cache.backends.memcached.PyMemcacheCache", {}),
    "pylibmc": ("django.core.cache.backends.memcached.PyLibMCCache", {}),
    "database": ("django.core.cache.backends.db.DatabaseCache", {}),
    "postgres": ("django.core.cache.backends.db.DatabaseCache", {}),
    "mariadb": ("django.core.cache.backends.db.DatabaseCache", {}),
    "files": ("django.core.cache.backends.filebased.FileBasedCache", {}),
    "custom": ("tests.shared_caches.DictionaryCache", {}),
}
# What the libraries themselves say on Python 3.13, or whatever is done.
_NOISE = {
    "django-redis-sharded": ".* on sharded client should not specify client",
    "pylibmc": "Exception ignored in PyMapping_HasKeyString",
}
KINDS = [kind for kind in _BACKENDS if not kind.endswith("-async")]
KIND_PARAMS = [
    pytest.param(kind, marks=pytest.mark.filterwarnings(f"ignore:{_NOISE[kind]}"))
    if kind in _NOISE
    else kind
    for kind in KINDS
]
REDIS_KINDS = [kind for kind in KINDS if kind.startswith(("redis", "django-"))]
DATABASES = ["database", "postgres", "mariadb"]

dictionaries = {}


class DictionaryCache(BaseCache):
    """A backend such as a project writes for itself; it keeps values as they are."""

    def __init__(self, location, params):
        super().__init__(params)
        self._location = location
        self.entries = dictionaries.setdefault(location, {})

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        if self.has_key(key, version):
            return False
        self.set(key, value, timeout, version)
        return True

    def get(self, key, default=None, version=None):
        made = self.make_and_validate_key(key, version)
        return self.entries[made][0] if self._holds(made) else default

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        made = self.make_and_validate_key(key, version)
        backend_timeout = self.get_backend_timeout(timeout)
        self.entries[made] = value, backend_timeout

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        made = self.make_and_validate_key(key, version)
        if not self._holds(made):
            return False
        self.entries[made] = self.entries[made][0], self.get_backend_timeout(timeout)
        return True

    def delete(self, key, version=None):
        made = self.make_and_validate_key(key, version)
        return self._holds(made) and self.entries.pop(made, None) is not None

    def has_key(self, key, version=None):
        return self._holds(self.make_and_validate_key(key, version))

    def clear(self):
        self.entries.clear()

    def _holds(self, made):
        _, expiry = self.entries.get(made, (None, -1))
        return expiry is None or expiry > time.time()


class Router:
    """Sends the rows of one table to one database."""

    def __init__(self, table, alias):
        self.table, self.alias = table, alias

    def _database(self, model, **_):
        return self.alias if model._meta.db_table == self.table else None

    db_for_read = db_for_write = _database

    def allow_migrate(self, db, app_label, model_name=None, **_):
        return db == self.alias if app_label == "django_cache" else None


@pytest.fixture
def store(monkeypatch, tmp_path):
    """The store of sections, in a stack of the test's own."""
    monkeypatch.setenv(journal.DIRECTORY_VARIABLE, str(tmp_path / "state"))
    made = SectionedStore()
    made.activate()
    yield made
    leave(made)
    made.deactivate()


def leave(store):
    """Have a store do what it does at the end of its process."""
    store._at_exit()
    atexit.unregister(store._at_exit)


@pytest.fixture
def own_notices():
    """What a test gives reason for is said to it, whatever was said before."""
    with mock.patch.object(notices, "_kept", {}):
        yield


@pytest.fixture
def nothing_to_say(own_notices):
    """Fail a test that gives reason for a notice and does not take it."""
    yield
    assert notices.take() == []


@pytest.fixture
def sections(store):
    return ScopeStack([store])


@pytest.fixture
def locations(request, tmp_path):
    """Give a LOCATION of each kind that no other test uses."""
    numbers = itertools.count()
    own = uuid.uuid4().hex[:8]

    def location(kind):
        if kind in DATABASES:
            return f"table_{own}_{next(numbers)}"
        if kind == "files":
            return str(tmp_path / f"files-{next(numbers)}")
        if kind == "custom":
            return f"{own}-{next(numbers)}"
        if kind.startswith("py"):
            return request.getfixturevalue("memcached_server").location
        family = "valkey" if "valkey" in kind else "redis"
        url = request.getfixturevalue(f"{family}_server").location
        if kind.endswith("sharded"):
            return [f"{url}/{2 * (next(numbers)) + each}" for each in (8, 9)]
        return url

    return location


@pytest.fixture
def opened(request, store, locations, settings):
    """Open caches in the hands of the store; with ``is_isolated=False``, plain ones."""
    tables, made = [], []
    queries = ExitStack()

    def open_cache(
        kind,
        *,
        location=None,
        is_isolated=True,
        is_kept=True,
        cache_class=None,
        **params,
    ):
        if kind in DATABASES:
            blocker = request.getfixturevalue("django_db_blocker")
            queries.enter_context(blocker.unblock())
        path, options = _BACKENDS[kind]
        cache_class = cache_class or import_string(path)
        location = locations(kind) if location is None else location
        params = {"OPTIONS": options, **params}
        if is_isolated:
            store.prepare(cache_class)
        cache = cache_class(location, params)
        if kind in DATABASES and location not in tables:
            alias = _database(request, kind)
            tables.append(location)
            settings.DATABASE_ROUTERS = [
                *settings.DATABASE_ROUTERS,
                Router(location, alias),
            ]
            _create_table(alias, location)
        if is_isolated and not store.adopt(kind, cache):
            raise InvalidCacheBackendError(path)
        if is_kept:
            made.append(cache)
        return cache

    with queries:
        yield open_cache
        leave(store)
        for cache in made:
            close(cache)


def assert_isolated(sections, cache):
    """Assert that entries come over, that changes are undone, that all is deleted."""
    cache.set("of-process", 1)
    with sections.opened(CLASS):
        cache.set("key", 1, 100)
        with sections.opened(TEST):
            assert cache.get("of-process") == 1
            assert cache.get("key") == 1
            cache.set("key", 2)
            with sections.opened(BLOCK):
                assert cache.get("key") == 2
                cache.clear()
                assert cache.get("key") is None
            assert cache.delete("key")
            assert cache.get("key") is None
        assert cache.get("key") == 1
    assert cache.get("key") is None


def close(cache):
    """Let go of the connections of a cache: unclosed ones are warned about."""
    state = vars(cache)
    if "_cache" in state and hasattr(type(state["_cache"]), "disconnect_all"):
        state["_cache"].disconnect_all()
    elif "_cache" in state and hasattr(state["_cache"], "close"):
        state["_cache"].close()
    elif hasattr(cache, "client"):
        cache.close()


def _database(request, kind):
    if kind == "database":
        return "default"
    if kind not in connections.settings:
        server = request.getfixturevalue(f"{kind}_server")
        if kind == "mariadb":
            _create_database(server)
        connections.settings[kind] = {
            **connections.settings["default"],
            **server.database,
            **({"NAME": "caches"} if kind == "mariadb" else {}),
        }
    return kind


def _create_database(server):
    import MySQLdb  # noqa: PLC0415

    host = server.database["HOST"]
    connection = MySQLdb.connect(unix_socket=host, user="root")
    with closing(connection), connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE caches")


def _create_table(alias, table):
    call_command("createcachetable", table, database=alias, verbosity=0)


def raw_key(cache, key):
    """Return what a key is called on the server."""
    holder = getattr(cache, "client", cache)
    return str(holder.make_key(key, version=cache.version))
