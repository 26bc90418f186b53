"""No leaks: what these store is gone when they end, or can't be met by the others."""

import threading
import uuid

from django.core.cache import cache, caches
from django.test import SimpleTestCase, TestCase, override_settings

from shop.services import Lock

ELSEWHERE = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "elsewhere",
    }
}


class TidyTests(SimpleTestCase):
    """Each stores what `UntouchedTests` asserts not to be there, and removes it."""

    def tearDown(self):
        cache.delete("plum:torn-down")

    def test_cleanup(self):
        self.addCleanup(cache.delete, "plum:cleaned-up")
        cache.set("plum:cleaned-up", 1)

    def test_delete(self):
        cache.set("plum:deleted", 1)
        self.assertTrue(cache.delete("plum:deleted"))

    def test_delete_many(self):
        cache.set_many({"plum:deleted": 1, "plum:one-of-many": 1})
        cache.delete_many(["plum:deleted", "plum:one-of-many"])

    def test_expired_at_once(self):
        cache.set("plum:expired", 1, timeout=0)
        cache.set("plum:negative", 1, timeout=-1)

    def test_expired_by_touch(self):
        cache.set("plum:touched", 1, timeout=None)
        self.assertTrue(cache.touch("plum:touched", 0))

    def test_files(self):
        caches["files"].set("plum", 1)
        caches["files"].delete("plum")

    def test_lock_is_released(self):
        Lock("safe").acquire()
        self.addCleanup(Lock("safe").release)

    def test_tear_down(self):
        cache.set("plum:torn-down", 1)
        self.assertEqual(cache.incr("plum:torn-down"), 2)

    async def test_with_async_methods(self):
        await cache.aset("plum:async", 1)
        await cache.adelete("plum:async")


class UntouchedTests(SimpleTestCase):
    def test_no_entries(self):
        names = ["deleted", "cleaned-up", "one-of-many", "torn-down", "async"]
        keys = [f"plum:{name}" for name in names]
        self.assertEqual(cache.get_many(keys), {})

    def test_no_expired_entries(self):
        for name in ("expired", "negative", "touched"):
            self.assertFalse(cache.has_key(f"plum:{name}"))

    def test_no_file(self):
        self.assertIsNone(caches["files"].get("plum"))

    def test_safe_can_be_locked(self):
        Lock("safe").acquire()
        Lock("safe").release()


class ElsewhereTests(SimpleTestCase):
    """The user's key is the same as a victim's, what it is stored under is not."""

    def test_another_alias(self):
        caches["second"].set("price:apple", 4)
        self.assertEqual(caches["second"].get("price:apple"), 4)

    def test_another_prefix_of_the_same_location(self):
        caches["branch"].set("slogan", "fresh")
        self.assertEqual(caches["branch"].get("slogan"), "fresh")

    def test_another_version(self):
        cache.set("catalogue", "autumn", version=4)
        self.assertEqual(cache.get("catalogue", version=4), "autumn")

    def test_no_store_at_all(self):
        caches["nothing"].set("price:apple", 4)
        self.assertIsNone(caches["nothing"].get("price:apple"))

    @override_settings(CACHES=ELSEWHERE)
    def test_other_settings(self):
        cache.set("price:apple", 4)
        self.assertEqual(cache.get("price:apple"), 4)

    def test_names_of_its_own(self):
        key = f"receipt:{uuid.uuid4()}"
        self.assertTrue(cache.add(key, 1))

    def test_names_of_its_own_again(self):
        key = f"receipt:{uuid.uuid4()}"
        self.assertIsNone(cache.get(key))
        cache.set(key, 1)

    def test_thread_that_tidies_up(self):
        thread = threading.Thread(target=self.store_and_delete)
        thread.start()
        thread.join()
        self.assertNotIn("courier:thread", cache)

    def store_and_delete(self):
        cache.set("courier:thread", 1)
        cache.delete("courier:thread")

    def test_thread_reads(self):
        self.assertIsNone(cache.get("courier:thread"))


class RestoredTests(TestCase):
    """Entries of the class's set-up are changed, and put back as they were."""

    @classmethod
    def setUpTestData(cls):
        cache.set("level", 3)
        cls.addClassCleanup(cache.delete, "level")

    def test_level_goes_up_and_down(self):
        cache.incr("level", 2)
        self.assertEqual(cache.decr("level", 2), 3)

    def test_level_is_put_back(self):
        self.addCleanup(cache.set, "level", cache.get("level"))
        cache.set("level", 99)
        self.assertEqual(cache.get("level"), 99)

    def test_level_is_three(self):
        self.assertEqual(cache.get("level"), 3)

    def test_level_moves_to_another_version_and_back(self):
        cache.incr_version("level")
        cache.decr_version("level", version=2)
        self.assertEqual(cache.get("level"), 3)
