"""A project on a store that others use as well, and runs of it: ended or killed."""

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

    def meet(folder):
        # Wait for the other worker: each has a database of its own to tidy.
        (folder / str(os.getpid())).touch()
        deadline = time.monotonic() + 60
        while len([*folder.iterdir()]) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    class Base:
        databases = {"default"}

        @classmethod
        def setUpClass(cls):
            super().setUpClass()
            caches["default"].set("of-the-class", 1)
            if folder := os.environ.get("MEET"):
                meet(pathlib.Path(folder))

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
    "database-mariadb": "django.core.cache.backends.db.DatabaseCache",
}
CONTENTS = {
    "redis_server": RedisContents,
    "valkey_server": RedisContents,
    "memcached_server": MemcachedContents,
}
# In tests/system: each kind of server is harmed in no way, by one of its backends.
GREEN = ["files", "django-redis", "django-valkey", "pylibmc", "database-postgresql"]
KILLED = ["redis", "database-sqlite"]
PURGED = ["redis"]
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

    def is_as_it_was_after_a_green_run(self):
        """Run all tests, with a thousand clears; assert that nothing else changed."""
        before = self.begin()
        done = self.run(*RUN, "4")
        assert done.returncode == 0, done.stderr
        assert re.search(r"Ran 16 tests in", done.stderr)
        assert self.contents.forbidden() == []
        assert self.contents.dump() == before

    def is_as_it_was_after_sigkill_and_another_run(self):
        """Kill a run, which leaves something; assert that the next takes it away."""
        before = self.begin()
        self.killed("-m", "django", *RUN, "2")
        after = self.contents.dump()
        left = set(after) - set(before)
        assert left, "the killed run left nothing, so this test would show nothing"
        if isinstance(before, dict):
            assert {name: after[name] for name in before} == before
        else:
            assert before < after
        meeting = self.project.path / "meeting"
        meeting.mkdir()
        done = self.run(*RUN, "2", MEET=str(meeting))
        assert done.returncode == 0, done.stderr
        assert self.contents.forbidden() == []
        assert self.contents.dump() == before, done.stdout + done.stderr

    def is_as_it_was_after_sigkill_and_purge(self):
        """Kill a run; assert that `cache-isolation purge` takes away what it left."""
        before = self.begin()
        self.killed("-m", "django", *RUN, "2")
        assert set(self.contents.dump()) > set(before)
        done = self.project.run("-m", "ci_cache_isolation", "purge")
        assert done.returncode == 0, done.stdout + done.stderr
        assert self.contents.dump() == before


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
    kind = store.removeprefix("database-").removesuffix("ql")
    server = request.getfixturevalue(f"{kind}_server").database
    database = {**server, "TEST": {"NAME": f"kept_{os.getpid()}_{id(tmp_path)}"}}
    names = [database["TEST"]["NAME"] + clone for clone in clones]
    if kind == "mariadb":
        import MySQLdb  # noqa: PLC0415 - it is compiled, and few tests need it

        connect = partial(MySQLdb.connect, unix_socket=server["HOST"], user="root")
        return database, TableContents(lambda name: connect(database=name), names)
    connect = partial(
        psycopg.connect, host=server["HOST"], port=server["PORT"], user=server["USER"]
    )
    return database, TableContents(lambda name: connect(dbname=name), names)
