"""Leaks inside a class: what its set-up stored, one test spoils for the next."""

from django.core.cache import cache, caches
from django.test import SimpleTestCase, TestCase


class SpoiledTests(SimpleTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cache.set_many({"badge": "new", "token": "t", "ticket:1": 1, "ticket:2": 2})
        cache.set("queue", 10)

    @classmethod
    def tearDownClass(cls):
        keys = ["badge", "token", "ticket:1", "ticket:2", "queue"]
        cache.delete_many(keys)
        super().tearDownClass()

    def test_badge_is_new(self):
        self.assertEqual(cache.get("badge"), "new")

    def test_badge_wears_off(self):
        cache.set("badge", "old")
        self.assertEqual(cache.get("badge"), "old")

    def test_queue_is_as_long_as_set_up(self):
        self.assertEqual(cache.get("queue"), 10)

    def test_queue_moves_on(self):
        before = cache.get("queue")
        self.assertEqual(cache.decr("queue"), before - 1)

    def test_tickets_are_there(self):
        self.assertEqual(len(cache.get_many(["ticket:1", "ticket:2"])), 2)

    def test_tickets_are_torn(self):
        cache.delete_many(["ticket:1", "ticket:2"])
        self.assertNotIn("ticket:1", cache)

    def test_token_is_accepted(self):
        self.assertEqual(cache.get("token"), "t")

    def test_token_runs_out(self):
        cache.touch("token", 0)
        self.assertIsNone(cache.get("token"))


class DeletedTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cache.set("album", ["one", "two"])
        cache.set("frame", "oak")
        cls.addClassCleanup(cache.delete_many, ["album", "frame"])
        cls.addClassCleanup(cache.delete, "frame", version=2)

    def test_album_has_pages(self):
        self.assertEqual(cache.get("album", []), ["one", "two"])

    def test_album_is_thrown_away(self):
        cache.delete("album")
        self.assertEqual(cache.get("album", []), [])

    def test_frame_is_made_of_oak(self):
        self.assertEqual(cache.get("frame"), "oak")

    def test_frame_is_renewed(self):
        if "frame" in cache:
            cache.incr_version("frame")
        self.assertIsNone(cache.get("frame"))


class ClearedTests(SimpleTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        caches["second"].set("shelf", "full")
        caches["branch"].set("counter", "staffed")

    @classmethod
    def tearDownClass(cls):
        caches["second"].delete("shelf")
        caches["branch"].delete("counter")
        super().tearDownClass()

    def test_counter_is_staffed(self):
        self.assertEqual(caches["branch"].get("counter"), "staffed")

    def test_other_branch_closes(self):
        """Clear an alias of the same LOCATION: it takes this one's entries along."""
        caches["branch-de"].clear()
        self.assertIsNone(caches["branch-de"].get("counter"))

    def test_shelf_is_full(self):
        self.assertEqual(caches["second"].get("shelf"), "full")

    def test_shop_is_emptied(self):
        caches["second"].clear()
        self.assertIsNone(caches["second"].get("shelf"))
