"""Processes that run at the same time on one server: workers of a run, and two runs."""

import os
import re
import subprocess
import sys

import pytest
from django import VERSION

SETTINGS = """
    from ci_cache_isolation.settings import isolate

    DATABASES = {{
        "default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    }}
    CACHES = isolate({{
        "default": {{
            "BACKEND": "{backend}",
            "LOCATION": "{location}",
        }},
    }})
    """
MANAGE = """
    import multiprocessing, os, sys

    if __name__ == "__main__":
        multiprocessing.set_start_method(os.environ["START_METHOD"])
        from django.core.management import execute_from_command_line

        execute_from_command_line(sys.argv)
    """
# Each worker waits until both have stored something, then looks at what is there.
MEETING = """
    import os, pathlib, time
    from django.core.cache import cache
    from django.test import SimpleTestCase
    from ci_cache_isolation import current_section

    def setUpModule():
        cache.set("of-the-module", os.getpid())

    class Base:
        def test(self):
            mine = pathlib.Path("met", str(os.getpid()))
            mine.write_text(str(current_section()))
            assert cache.add("one-key", os.getpid())
            deadline = time.monotonic() + 60
            while len(list(mine.parent.iterdir())) < 2:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            # The other one must have stored its own by now.
            time.sleep(0.2)
            assert cache.get("one-key") == os.getpid()
            assert cache.get("of-the-module") == os.getpid()
            cache.clear()
            time.sleep(0.2)
            assert cache.get("one-key") is None

    class ATests(Base, SimpleTestCase): pass
    class BTests(Base, SimpleTestCase): pass
    """
# Passes alone in one process, isolated or not.
BUSY = """
    import time
    from django.core.cache import cache
    from django.test import SimpleTestCase

    class Base:
        def test(self):
            for number in range(20):
                cache.clear()
                cache.set("counter", 0)
                cache.set_many({"a": number, "b": number})
                time.sleep(0.002)
                assert cache.incr("counter") == 1
                assert cache.get_many(["a", "b"]) == {"a": number, "b": number}

    class ATests(Base, SimpleTestCase): pass
    class BTests(Base, SimpleTestCase): pass
    class CTests(Base, SimpleTestCase): pass
    class DTests(Base, SimpleTestCase): pass
    """
OPTION = "CI_CACHE_ISOLATION"
REDIS = "django.core.cache.backends.redis.RedisCache"
BACKENDS = {
    "redis_server": REDIS,
    "memcached_server": "django.core.cache.backends.memcached.PyMemcacheCache",
}
# Django 5.2 knows only the first two.
METHODS = ["fork", "spawn", "forkserver"][: 3 if VERSION >= (6, 0) else 2]
SAMPLE = {
    ("fork", "memcached_server"),
    ("spawn", "redis_server"),
    ("xdist", "redis_server"),
}


@pytest.fixture
def on_server(project, request):
    def write(server, suite):
        location = request.getfixturevalue(server).location
        settings = SETTINGS.format(backend=BACKENDS[server], location=location)
        project.write("settings", settings)
        project.write("manage", MANAGE)
        project.write("test_suite", suite)
        (project.path / "met").mkdir()
        return project

    return write


@pytest.mark.parametrize(
    ("way", "server"),
    [
        pytest.param(
            way,
            server,
            marks=() if (way, server) in SAMPLE else pytest.mark.exhaustive,
        )
        for way in [*METHODS, "xdist"]
        for server in BACKENDS
    ],
)
def test_workers_have_sections_of_their_own(on_server, server, way):
    project = on_server(server, MEETING)

    def run(**environment):
        for file in (project.path / "met").iterdir():
            file.unlink()
        if way == "xdist":
            return project.pytest("-n2", "--dist=loadscope", **environment)
        command = ("manage.py", "test", "--parallel=2")
        return project.run(*command, START_METHOD=way, **environment)

    done = run()
    assert done.returncode == 0, done.stdout + done.stderr
    met = {file.name: file.read_text() for file in (project.path / "met").iterdir()}
    assert len(met) == len(set(met.values())) == 2
    assert all(re.fullmatch("[0-9a-z]{12}", section) for section in met.values())
    assert run(CI_CACHE_ISOLATION="off").returncode == 1


@pytest.mark.parametrize("times", [2, pytest.param(10, marks=pytest.mark.exhaustive)])
def test_two_runs_at_once_on_one_server_do_not_meet(on_server, times):
    project = on_server("redis_server", BUSY)
    assert [two_runs(project) for _ in range(times)] == [(0, 0)] * times


def test_with_isolation_off_the_same_two_runs_meet(on_server):
    project = on_server("redis_server", BUSY)
    off = {"CI_CACHE_ISOLATION": "off"}
    alone = project.manage("test", PYTHONPATH=".", **off)
    assert alone.returncode == 0, alone.stderr
    assert two_runs(project, **off) != (0, 0)


def two_runs(project, **environment):
    """Start two runs of two workers each; return how both ended."""
    inherited = {name: os.environ[name] for name in os.environ if name != OPTION}
    runs = [
        subprocess.Popen(
            [sys.executable, "manage.py", "test", "--parallel=2"],
            cwd=project.path,
            env={**inherited, **project.own, "START_METHOD": "fork", **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(2)
    ]
    return tuple(run.wait(timeout=120) for run in runs)
