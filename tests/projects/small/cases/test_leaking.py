"""One cache leak and one that no isolation cures; forward, all is well."""

from django.core.cache import cache
from django.test import SimpleTestCase

seen = []


class CacheTests(SimpleTestCase):
    def test_a_reads(self):
        self.assertIsNone(cache.get("key"))

    def test_b_writes(self):
        cache.set("key", 1)


class ModuleTests(SimpleTestCase):
    def test_a_reads(self):
        self.assertEqual(seen, [])

    def test_b_writes(self):
        seen.append(1)
