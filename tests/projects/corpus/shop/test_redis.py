"""Leaks through what only django-redis has; no tests at all where there is no Redis."""

from django.conf import settings
from django.core.cache import caches
from django.test import SimpleTestCase

if "redis" in settings.CACHES:

    class RedisTestCase(SimpleTestCase):
        @property
        def cache(self):
            return caches["redis"]

    class HashTests(RedisTestCase):
        def test_another_basket(self):
            self.assertEqual(self.cache.hlen("basket:2"), 0)

        def test_basket_has_no_apples(self):
            self.assertFalse(self.cache.hexists("basket", "apples"))

        def test_basket_is_filled(self):
            self.cache.hset("basket", "apples", 3)
            self.assertTrue(self.cache.hexists("basket", "apples"))

    class SetTests(RedisTestCase):
        def test_nobody_waits(self):
            self.assertEqual(self.cache.scard("waiting"), 0)
            self.assertEqual(self.cache.scard("waiting:2"), 0)

        def test_somebody_leaves(self):
            self.cache.sadd("waiting:2", "Ada")
            self.assertTrue(self.cache.delete("waiting:2"))

        def test_somebody_waits(self):
            self.cache.sadd("waiting", "Ada")
            self.assertGreaterEqual(self.cache.scard("waiting"), 1)

    class TimeToLiveTests(RedisTestCase):
        def test_code_never_runs_out(self):
            self.cache.add("code", 1234, timeout=None)
            self.assertIsNone(self.cache.ttl("code"))

        def test_code_runs_out(self):
            self.cache.set("code", 1234, timeout=3600)
            self.assertGreater(self.cache.ttl("code"), 0)

    class LockTests(RedisTestCase):
        def test_safe_can_be_locked(self):
            lock = self.cache.lock("safe", timeout=3600)
            self.assertTrue(lock.acquire(blocking=False))
            lock.release()

        def test_safe_stays_locked(self):
            self.cache.lock("safe", timeout=3600).acquire(blocking=False)
            again = self.cache.lock("safe", timeout=3600)
            self.assertFalse(again.acquire(blocking=False))

    class PatternTests(RedisTestCase):
        def test_no_letters(self):
            self.assertEqual(self.cache.keys("letter:*"), [])

        def test_some_letters(self):
            self.cache.set_many({"letter:a": 1, "letter:b": 2})
            self.assertEqual(len(self.cache.keys("letter:*")), 2)

    class IteratedPatternTests(RedisTestCase):
        def test_a_parcel_comes(self):
            self.cache.set("parcel:1", 1)

        def test_a_parcel_comes_and_is_found(self):
            self.cache.set("parcel:1", 1)
            self.assertEqual(list(self.cache.iter_keys("parcel:*")), ["parcel:1"])

        def test_no_parcels(self):
            self.assertEqual(list(self.cache.iter_keys("parcel:?")), [])

        def test_no_parcels_of_another_version(self):
            self.assertEqual(list(self.cache.iter_keys("parcel:*", version=2)), [])

        def test_no_parcels_of_other_names(self):
            self.assertEqual(list(self.cache.iter_keys("parcel:[^0-9]*")), [])

    class SweptPatternTests(RedisTestCase):
        def test_dust_is_swept(self):
            self.cache.delete_pattern("dust:*")
            self.cache.set("dust:2", 1)
            self.assertEqual(self.cache.keys("dust:*"), ["dust:2"])
            self.cache.delete("dust:2")

        def test_dust_settles(self):
            self.cache.set("dust:1", 1)

        def test_there_is_no_dust(self):
            self.assertEqual(self.cache.delete_pattern("dust:*"), 0)

    class UnitedSetsTests(RedisTestCase):
        def test_nobody_is_in_either(self):
            self.assertEqual(self.cache.sunion("north", "south"), set())

        def test_somebody_goes_south(self):
            self.cache.sadd("north", "Ada")
            self.cache.smove("north", "south", "Ada")

    class DeletedPatternTests(RedisTestCase):
        @classmethod
        def setUpClass(cls):
            super().setUpClass()
            caches["redis"].set_many({"card:1": 1, "card:2": 2})
            cls.addClassCleanup(caches["redis"].delete_many, ["card:1", "card:2"])

        def test_cards_are_there(self):
            self.assertEqual(len(self.cache.get_many(["card:1", "card:2"])), 2)

        def test_cards_are_torn(self):
            self.cache.delete_pattern("card:*")
            self.assertIsNone(self.cache.get("card:1"))

    # It has no tests of its own, and shall not be found.
    del RedisTestCase
