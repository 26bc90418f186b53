"""Caches on a server that were opened early, are held, or come from other settings."""

import pytest

BACKENDS = {
    "redis": "django.core.cache.backends.redis.RedisCache",
    "django-redis": "django_redis.cache.RedisCache",
    "django-valkey": "django_valkey.cache.ValkeyCache",
    "memcached": "django.core.cache.backends.memcached.PyMemcacheCache",
    "files": "django.core.cache.backends.filebased.FileBasedCache",
}
TESTS = """
import threading
from concurrent.futures import ThreadPoolExecutor

from django.conf import settings
from django.core.cache import cache, caches
from django.test import SimpleTestCase, override_settings

held = caches["default"]
THREAD = ThreadPoolExecutor(1)
of_thread = THREAD.submit(lambda: caches["default"]).result()
assert of_thread is not held
PREFIXED = {"default": {**settings.CACHES["default"], "KEY_PREFIX": "other"}}


class Tests(SimpleTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        held.set("of-class", 1)

    def look(self):
        for each in (held, cache, caches["default"]):
            self.assertEqual(each.get("of-class"), 1)
            self.assertIsNone(each.get("key"))
        self.assertEqual(THREAD.submit(of_thread.get, "of-class").result(), 1)
        self.assertIsNone(THREAD.submit(of_thread.get, "key").result())
        held.set("key", 1)
        self.assertEqual(cache.get("key"), 1)
        self.assertEqual(THREAD.submit(of_thread.get, "key").result(), 1)
        before = settings.CACHES
        with override_settings(CACHES={"default": {**before["default"]}}):
            self.assertIsNot(caches["default"], held)
            self.assertEqual(cache.get("key"), 1)
            cache.delete("of-class")
        self.assertIsNone(held.get("of-class"))
        with override_settings(CACHES=PREFIXED):
            self.assertIsNone(cache.get("key"))
            cache.set("key", 2)
            self.assertEqual(held.get("key"), 1)
        self.assertEqual(held.get("key"), 1)
        with override_settings(CACHES=PREFIXED):
            self.assertEqual(cache.get("key"), 2)
        self.assertIs(settings.CACHES, before)

    test_1 = test_2 = test_3 = look
"""


@pytest.mark.parametrize("kind", BACKENDS)
@pytest.mark.parametrize("isolation", ["on", "off"])
def test_caches_are_isolated_wherever_they_come_from(
    project, request, tmp_path, kind, isolation
):
    if kind == "files":
        location = str(tmp_path / "files")
    else:
        family = {"memcached": "memcached", "django-valkey": "valkey"}.get(
            kind, "redis"
        )
        location = request.getfixturevalue(f"{family}_server").location
    caches = {
        "default": {
            "BACKEND": BACKENDS[kind],
            "LOCATION": location,
            "KEY_PREFIX": f"{kind}-{tmp_path.name[-20:]}-{isolation}",
        }
    }
    project.write("settings", f"CACHES = {caches!r}\n")
    project.write(
        "settings", 'TEST_RUNNER = "ci_cache_isolation.runner.IsolatedRunner"\n'
    )
    project.write("tests", TESTS)
    done = project.manage("test", CI_CACHE_ISOLATION=isolation)
    if isolation == "on":
        assert done.returncode == 0, done.stderr
        assert "Warning" not in done.stderr
        assert "Ran 3 tests" in done.stderr
    else:
        assert "FAILED (failures=" in done.stderr
