"""What isolation asks a server for, counted by the server: nothing, or next to it."""

from collections import Counter

import pytest

CLASSES = 5
TESTS = 10
SETTINGS = """
    from ci_cache_isolation.settings import isolate

    CACHES = isolate({{
        "default": {{
            "BACKEND": "{backend}",
            "LOCATION": "{location}",
        }},
        "unused": {{
            "BACKEND": "{backend}",
            "LOCATION": "redis://127.0.0.1:1",
        }},
    }})
    """
SUITE = """
    import unittest
    from django.core.cache import cache

    class Tests:
        @classmethod
        def setUpClass(cls):
            {set_up}

        def use(self):
            {use}

    for number in range({tests}):
        setattr(Tests, f"test_{{number}}", lambda self: self.use())
    for number in range({classes}):
        name = f"Tests{{number}}"
        globals()[name] = type(name, (Tests, unittest.TestCase), {{}})
    del name
    """
SETS = "[cache.set(name, 1) for name in 'abcde']"
GETS = "[cache.get(name) for name in 'abcde']"
# What set-up of the class does, what each test does, and entries it needs of the class.
SHAPES = {
    "five sets": ("pass", SETS, 0),
    "sets and reads": ("pass", f"{SETS}; {GETS}", 0),
    "reads only": ("pass", GETS, 0),
    "many at once": ("pass", "cache.set_many(dict.fromkeys('abcde', 1))", 0),
    "cleared in every test": ("pass", f"{SETS}; cache.clear()", 0),
    "entries of the class that no test needs": (SETS, "cache.set('f', 1)", 0),
    "an entry of the class, read twice": (SETS, "cache.get('a'), cache.get('a')", 1),
    "an entry of the class, changed": (SETS, "cache.incr('a'), cache.get('a')", 1),
}
BACKENDS = [
    "django.core.cache.backends.redis.RedisCache",
    "django_redis.cache.RedisCache",
]
# What clients say to each other when they meet, and what the counting itself sends.
TALK = {
    "hello",
    "client|setinfo",
    "client",
    "info",
    "select",
    "ping",
    "config|resetstat",
}


@pytest.fixture
def counted(project, redis_server):
    """Run a suite of fifty tests; return how often the server was asked."""

    def run(backend, set_up, use, **environment):
        settings = SETTINGS.format(backend=backend, location=redis_server.location)
        suite = SUITE.format(set_up=set_up, use=use, tests=TESTS, classes=CLASSES)
        (project.path / "settings.py").unlink()
        project.write("settings", settings)
        (project.path / "test_suite.py").unlink(missing_ok=True)
        project.write("test_suite", suite)
        with redis_server.client() as client:
            client.config_resetstat()
            done = project.manage("test", PYTHONPATH=".", **environment)
            assert done.returncode == 0, done.stderr
            assert f"Ran {TESTS * CLASSES} tests" in done.stderr
            stats = client.info("commandstats")
        calls = {name.removeprefix("cmdstat_"): stats[name]["calls"] for name in stats}
        talk = TALK & calls.keys()
        return Counter(calls) - Counter({name: calls[name] for name in talk})

    return run


def test_tests_that_touch_no_cache_do_not_even_connect(counted, redis_server):
    with redis_server.client() as client:
        before = client.info("stats")["total_connections_received"]
        assert counted(BACKENDS[0], "pass", "pass") == Counter()
        connections = client.info("stats")["total_connections_received"] - before
        # CONFIG RESETSTAT counts from zero again, and the client that sent it is one.
    assert connections <= 1


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_test_that_uses_a_cache_costs_a_class_one_deletion(counted, backend, shape):
    """And a test a copy of each entry of its class that it needs: the first time."""
    set_up, use, copies = SHAPES[shape]
    isolated = counted(backend, set_up, use)
    shared = counted(backend, set_up, use, CI_CACHE_ISOLATION="off")
    more = isolated.total() - shared.total()
    assert more <= CLASSES + TESTS * CLASSES * copies, (isolated, shared)
    assert isolated["copy"] == TESTS * CLASSES * copies
