"""Processes that run at the same time on one server: workers of a run, and two runs."""

import os
import re
import shutil
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
# Each worker waits until both have come as far, then looks at what is there. All that
# it sees is judged at its end, so that nobody waits for one that failed.
MEETING = """
    import os, pathlib, time
    from django.core.cache import cache
    from django.test import SimpleTestCase
    from ci_cache_isolation import current_section

    def me():
        # A forked worker has its parent's modules.
        return str(os.getpid())

    def meet(where):
        place = pathlib.Path("met", where)
        place.mkdir(parents=True, exist_ok=True)
        (place / me()).write_text(str(current_section()))
        deadline = time.monotonic() + 60
        while len(list(place.iterdir())) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def setUpModule():
        cache.set("of-the-module", me())

    class Base:
        clears = False

        def test(self):
            meet("begun")
            seen = {"adds": cache.add("one-key", me())}
            meet("stored")
            seen["keeps"] = cache.get("one-key") == me()
            seen["keeps what the module stored"] = cache.get("of-the-module") == me()
            meet("looked")
            if self.clears:
                cache.clear()
            meet("cleared")
            left = None if self.clears else me()
            seen["clears its own"] = cache.get("one-key") == left
            assert all(seen.values()), seen

    class ATests(Base, SimpleTestCase): clears = True
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
WAYS = [*METHODS, "xdist"]
CASES = [(way, server) for way in WAYS for server in BACKENDS]
# In tests/system. Interpreters start anew for all ways but fork.
SAMPLE = [
    case
    for case in CASES
    if case
    in {
        ("fork", "memcached_server"),
        ("spawn", "redis_server"),
        ("forkserver", "memcached_server"),
        ("xdist", "redis_server"),
    }
]


@pytest.fixture
def on_server(project, request):
    def write(server, suite):
        location = request.getfixturevalue(server).location
        settings = SETTINGS.format(backend=BACKENDS[server], location=location)
        project.write("settings", settings)
        project.write("manage", MANAGE)
        project.write("test_suite", suite)
        return project

    return write


@pytest.fixture
def workers_apart(on_server):
    """Have workers of a run meet on a server; with isolation off they must collide."""

    def check(way, server):
        project = on_server(server, MEETING)

        def run(**environment):
            shutil.rmtree(project.path / "met", ignore_errors=True)
            if way == "xdist":
                return project.pytest("-n2", "--dist=loadscope", **environment)
            command = ("manage.py", "test", "--parallel=2")
            return project.run(*command, START_METHOD=way, **environment)

        done = run()
        assert done.returncode == 0, done.stdout + done.stderr
        met = [file.read_text() for file in project.path.glob("met/begun/*")]
        assert len(met) == len(set(met)) == 2
        assert all(re.fullmatch("[0-9a-z]{12}", section) for section in met)
        done = run(CI_CACHE_ISOLATION="off")
        assert done.returncode == 1
        assert "keeps what the module stored" in done.stdout + done.stderr

    return check


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
