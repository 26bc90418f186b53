"""Leaks through memcached; no tests at all where there is none."""

from django.conf import settings
from django.core.cache import caches
from django.test import SimpleTestCase

if "memcached" in settings.CACHES:

    class MemcachedTests(SimpleTestCase):
        @property
        def cache(self):
            return caches["memcached"]

        def test_bell_is_taken_away(self):
            self.cache.set("bell", 1)
            self.assertTrue(self.cache.delete("bell"))

        def test_gate_is_closed(self):
            self.assertIsNone(self.cache.get("gate"))

        def test_gate_is_opened(self):
            self.cache.set("gate", "open")
            self.assertEqual(self.cache.get("gate"), "open")

        def test_no_bell(self):
            self.assertIsNone(self.cache.get("bell"))

        def test_turnstile_is_new(self):
            self.cache.add("turnstile", 0)
            self.assertEqual(self.cache.incr("turnstile"), 1)

        def test_turnstile_turns(self):
            self.cache.add("turnstile", 0)
            self.assertGreater(self.cache.incr("turnstile"), 0)
