"""What was on a shared server before is there afterwards, whatever the tests do to it.

Also after the processes were killed; and of a run that ended by itself nothing is left.
"""

import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from functools import partial

import psycopg
import pytest

from tests.contents import (
    FileContents,
    MemcachedContents,
    RedisContents,
    TableContents,
)
from tests.stores import DATABASES, SHARED

SETTINGS = """
    import os
    from ci_cache_isolation.settings import isolate

    DATABASES = {{"default": {database}}}
    CACHES = isolate({{
        "default": {{"BACKEND": {backend!r}, "LOCATION": {location!r}}},
        "second": {{
            "BACKEND": {backend!r}, "LOCATION": {location!r},
            "KEY_PREFIX": "second", "VERSION": 7,
        }},
    }}, stores={stores!r})
    """
SUITE = """
    import os
    import pathlib
    import time
    from django.core.cache import caches
    from django.test import SimpleTestCase

    CLEARS = 250

    def use(cache):
        assert cache.get("theirs") is None
        cache.set("theirs", 1)
        cache.set("forever", 1, None)
        cache.set_many({f"many-{number}": number for number in range(20)})
        assert cache.incr("many-1") == 2
        assert cache.add("added", 1)
        cache.touch("theirs", 100)
        cache.delete_many(["many-2", "*"])
        if hasattr(cache, "delete_pattern"):
            # SCAN may name a key twice while others delete, and twice it is counted.
            assert cache.delete_pattern("many-*") >= 19
            found = set(cache.iter_keys("*")) - {"of-the-class"}
            assert found == {"added", "forever", "theirs"}
        cache.delete("theirs")

    class Base:
        databases = {"default"}

        @classmethod
        def setUpClass(cls):
            super().setUpClass()
            caches["default"].set("of-the-class", 1)

        def test_a_use(self):
            for alias in caches:
                use(caches[alias])

        def test_b_use_again(self):
            self.test_a_use()

        def test_c_clear(self):
            cache = caches["default"]
            for number in range(CLEARS):
                cache.set("theirs", number)
                cache.clear()
            assert cache.get("theirs") is None
            assert cache.get("of-the-class") is None

        def test_d_hold(self):
            if folder := os.environ.get("HOLD"):
                use(caches["second"])
                (pathlib.Path(folder) / str(os.getpid())).touch()
                time.sleep(60)

    class ATests(Base, SimpleTestCase): pass
    class BTests(Base, SimpleTestCase): pass
    class CTests(Base, SimpleTestCase): pass
    class DTests(Base, SimpleTestCase): pass
    """
BACKENDS = {
    "files": "django.core.cache.backends.filebased.FileBasedCache",
    "redis": "django.core.cache.backends.redis.RedisCache",
    "django-redis": "django_redis.cache.RedisCache",
    "django-valkey": "django_valkey.cache.ValkeyCache",
    "pymemcache": "django.core.cache.backends.memcached.PyMemcacheCache",
    "pylibmc": "django.core.cache.backends.memcached.PyLibMCCache",
    "database-sqlite": "django.core.cache.backends.db.DatabaseCache",
    "database-postgresql": "django.core.cache.backends.db.DatabaseCache",
}
CONTENTS = {
    "redis_server": RedisContents,
    "valkey_server": RedisContents,
    "memcached_server": MemcachedContents,
}
ALWAYS = {"files", "redis", "pymemcache", "database-sqlite"}
STORES = [
    pytest.param(store, marks=() if store in ALWAYS else pytest.mark.exhaustive)
    for store in BACKENDS
]
MEMORY = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
# Rows of a table are there after the run only if its database is.
RUN = ("test", "--keepdb", "--noinput", "--parallel")


class Shared:
    """A project on a store that others use as well, and what these have there."""

    def __init__(self, project, contents):
        self.project = project
        self.contents = contents
        self.hold = project.path / "holding"
        self.hold.mkdir()

    def run(self, *command, **environment):
        return self.project.manage(*command, PYTHONPATH=".", **environment)

    def begin(self):
        """Put there what is to stay."""
        if isinstance(self.contents, TableContents):
            done = self.run(*RUN, "4")
            assert done.returncode == 0, done.stderr
        self.contents.fill()
        before = self.contents.dump()
        self.contents.begin_watching()
        return before

    def killed(self, *command, victims=None):
        """Begin a run, wait until two workers hold something, kill them and it."""
        environment = {**os.environ, **self.project.own, "HOLD": str(self.hold)}
        environment.pop("CI_CACHE_ISOLATION", None)
        with subprocess.Popen(
            [sys.executable, *command],
            cwd=self.project.path,
            env=environment | {"PYTHONPATH": "."},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as run:
            try:
                deadline = time.monotonic() + 60
                while len(workers := [*self.hold.iterdir()]) < 2:
                    assert run.poll() is None
                    assert time.monotonic() < deadline
                    time.sleep(0.02)
                for worker in workers:
                    os.kill(int(worker.name), signal.SIGKILL)
            finally:
                os.killpg(run.pid, signal.SIGKILL)


@pytest.fixture
def shared(project, request, tmp_path):
    def made(store, stores=None):
        database, location = MEMORY, "cache_table"
        if store == "files":
            location = str(tmp_path / "files")
            contents = FileContents(tmp_path / "files")
        elif store in DATABASES:
            database, contents = kept_database(store, request, tmp_path)
        else:
            server = request.getfixturevalue(SHARED[store])
            location = server.location
            contents = CONTENTS[SHARED[store]](server)
        project.write(
            "settings",
            SETTINGS.format(
                database=database,
                backend=BACKENDS[store],
                location=location,
                stores=stores,
            ),
        )
        project.write("test_suite", SUITE)
        request.addfinalizer(contents.close)
        return Shared(project, contents)

    return made


def kept_database(store, request, tmp_path):
    """Return a test database that runs keep, and what is in it and in its clones."""
    clones = ["", *(f"_{number}" for number in range(1, 5))]
    if store == "database-sqlite":
        database = {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(tmp_path / "db.sqlite3"),
            "TEST": {"NAME": str(tmp_path / "test.sqlite3")},
        }
        names = [str(tmp_path / f"test{clone}.sqlite3") for clone in clones]
        return database, TableContents(sqlite3.connect, names)
    server = request.getfixturevalue("postgres_server").database
    database = {**server, "TEST": {"NAME": f"kept_{os.getpid()}_{id(tmp_path)}"}}
    names = [database["TEST"]["NAME"] + clone for clone in clones]
    connect = partial(
        psycopg.connect, host=server["HOST"], port=server["PORT"], user=server["USER"]
    )
    return database, TableContents(lambda name: connect(dbname=name), names)


@pytest.mark.parametrize("store", STORES)
def test_after_a_green_run_with_a_thousand_clears_all_is_as_it_was(shared, store):
    shared = shared(store)
    before = shared.begin()
    done = shared.run(*RUN, "4")
    assert done.returncode == 0, done.stderr
    assert re.search(r"Ran 16 tests in", done.stderr)
    assert shared.contents.forbidden() == []
    assert shared.contents.dump() == before


def test_with_isolation_off_the_same_run_harms(shared):
    shared = shared("redis")
    before = shared.begin()
    shared.run(*RUN, "4", CI_CACHE_ISOLATION="off")
    assert shared.contents.dump() != before
    assert shared.contents.forbidden() == ["cmdstat_flushdb"]


@pytest.mark.parametrize("store", STORES)
def test_after_sigkill_all_is_there_and_the_next_run_takes_the_rest_away(shared, store):
    shared = shared(store)
    before = shared.begin()
    shared.killed("-m", "django", *RUN, "2")
    after = shared.contents.dump()
    left = set(after) - set(before)
    assert left, "the killed run left nothing, so this test would show nothing"
    if isinstance(before, dict):
        assert {name: after[name] for name in before} == before
    else:
        assert before < after
    done = shared.run(*RUN, "2")
    assert done.returncode == 0, done.stderr
    assert shared.contents.forbidden() == []
    assert shared.contents.dump() == before


@pytest.mark.exhaustive
@pytest.mark.parametrize("store", sorted(BACKENDS.keys() - set(DATABASES)))
def test_purge_takes_the_rest_away_as_well(shared, store):
    shared = shared(store)
    before = shared.begin()
    shared.killed("-m", "django", *RUN, "2")
    assert set(shared.contents.dump()) > set(before)
    done = shared.project.run("-m", "ci_cache_isolation", "purge")
    assert done.returncode == 0, done.stdout + done.stderr
    assert shared.contents.dump() == before


@pytest.mark.parametrize("store", ["redis", "pymemcache"])
def test_private_servers_leave_the_shared_one_alone(shared, store):
    """They clear and flush as they like; the shared one does not hear of it."""
    private = dict.fromkeys(("default", "second"), "private-server")
    shared = shared(store, private)
    before = shared.begin()
    commands = shared.contents.commands()
    done = shared.run(*RUN, "2")
    assert done.returncode == 0, done.stderr
    shared.killed("-m", "django", *RUN, "2")
    assert shared.contents.commands() == commands
    assert shared.contents.dump() == before


@pytest.mark.parametrize("store", ["files", "redis"])
def test_a_worker_that_takes_a_killed_ones_place_tidies_up(shared, store):
    """xdist goes on after the loss of a worker: in a new one, and in the others."""
    shared = shared(store)
    before = shared.begin()
    shared.project.write(
        "test_killed",
        """
        import os
        from django.core.cache import cache

        def test_killed():
            cache.set("theirs", 1)
            os._exit(9)

        def test_other():
            cache.set("theirs", 1)
            cache.clear()
        """,
    )
    done = shared.project.pytest("-n1", "test_killed.py")
    assert "1 failed, 1 passed" in done.stdout
    assert shared.contents.dump() == before
