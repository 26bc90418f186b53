"""A project whose code holds a cache since import, and whose tests patch that one.

``CASES`` are all pairs of way and store. ``SAMPLE`` are those of tests/system: among
them each way and each store; tests/exhaustive has the others.
"""

import re

import pytest

from tests.at_once import MANAGE, METHODS

BACKENDS = {
    "memory": "django.core.cache.backends.locmem.LocMemCache",
    "files": "django.core.cache.backends.filebased.FileBasedCache",
    "redis": "django.core.cache.backends.redis.RedisCache",
    "django-redis": "django_redis.cache.RedisCache",
    "pymemcache": "django.core.cache.backends.memcached.PyMemcacheCache",
    "pylibmc": "django.core.cache.backends.memcached.PyLibMCCache",
    "private-redis": "django.core.cache.backends.redis.RedisCache",
    "private-pymemcache": "django.core.cache.backends.memcached.PyMemcacheCache",
}
WAYS = [*METHODS, "xdist"]
CASES = [(way, store) for way in WAYS for store in BACKENDS]
# Forks are what inherits; the others start an interpreter each.
SAMPLE = [
    case
    for case in CASES
    if case[0] == "fork"
    or case in {("spawn", "redis"), ("forkserver", "files"), ("xdist", "pymemcache")}
]
SETTINGS = """
    from ci_cache_isolation.settings import isolate

    DATABASES = {{
        "default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
    }}
    CACHES = isolate(
        {{"default": {default!r}, "fragments": {fragments!r}}}, stores={stores!r}
    )
    """
PRICES = """
    from django.core.cache import caches

    cache = caches["fragments"]
    # So that there is a connection to inherit.
    cache.get("price")

    def price():
        return cache.get("price")
    """
TESTS = """
    from unittest import mock
    from django.core.cache import caches
    from django.test import SimpleTestCase
    import prices

    class Base:
        def setUp(self):
            self.assertIs(caches["fragments"], prices.cache)
            self.assertIsNone(prices.price())

        def test_patched(self):
            fragments = caches["fragments"]
            with mock.patch.object(fragments, "get", return_value=3):
                self.assertEqual(prices.price(), 3)

        def test_stored(self):
            for number in range(20):
                caches["fragments"].set("price", number)
                self.assertEqual(prices.price(), number)

    class ATests(Base, SimpleTestCase): pass
    class BTests(Base, SimpleTestCase): pass
    class CTests(Base, SimpleTestCase): pass
    """


def location_of(store, request):
    folder = request.getfixturevalue("tmp_path")
    if store == "memory":
        return ""
    if store == "files":
        return str(folder / "files")
    family = "redis" if "redis" in store else "memcached"
    return request.getfixturevalue(f"{family}_server").location


@pytest.fixture
def held_and_patched(project, request):
    """Run the project's tests in two workers of one kind; all of them must pass."""

    def check(way, store, *arguments, passing=6, **environment):
        fragments = {
            "BACKEND": BACKENDS[store],
            "LOCATION": location_of(store, request),
            "KEY_PREFIX": f"{store}-{project.path.name[-20:]}",
        }
        default = {"BACKEND": BACKENDS["memory"]}
        stores = {"fragments": "private-server"} if "private" in store else {}
        project.write(
            "settings",
            SETTINGS.format(default=default, fragments=fragments, stores=stores),
        )
        project.write("prices", PRICES)
        project.write("tests", TESTS)
        project.write("manage", MANAGE)
        if way == "xdist":
            done = project.pytest("-n2", "tests.py", **environment)
        else:
            command = ("manage.py", "test", "--parallel=2", *arguments)
            done = project.run(*command, START_METHOD=way, **environment)
        said = done.stdout + done.stderr
        assert done.returncode == 0, said
        assert re.search(
            rf"^Ran {passing} tests|\b{passing} passed", said, re.MULTILINE
        ), said
        assert "CacheIsolationWarning" not in said

    return check
