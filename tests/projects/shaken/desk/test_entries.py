"""Leaks through caches; isolation cures all of them."""

import contextlib

from django.contrib.sessions.backends.base import CreateError
from django.contrib.sessions.backends.cache import SessionStore
from django.core.cache import cache, caches
from django.test import SimpleTestCase

VISITOR = "visitor0" * 4


class BadgeTests(SimpleTestCase):
    """What a class has stored, one of its tests spoils for the next."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cache.set("badge", "new")

    def test_badge_is_new(self):
        self.assertEqual(cache.get("badge"), "new")

    def test_badge_wears_off(self):
        cache.set("badge", "old")
        self.assertEqual(cache.get("badge"), "old")


class BoxTests(SimpleTestCase):
    """It takes two entries."""

    def test_box_is_empty_or_half_full(self):
        self.assertNotEqual(len(cache.get_many(["box:left", "box:right"])), 2)

    def test_box_is_half_full_on_the_left(self):
        cache.set("box:left", 1)
        self.assertEqual(cache.get("box:left"), 1)

    def test_box_is_half_full_on_the_right(self):
        cache.set("box:right", 1)
        self.assertEqual(cache.get("box:right"), 1)


class CourierTests(SimpleTestCase):
    async def test_courier_is_idle(self):
        self.assertIsNone(await cache.aget("courier"))

    async def test_courier_is_sent(self):
        await cache.aset("courier", "away")
        self.assertEqual(await cache.aget("courier"), "away")


class GateTests(SimpleTestCase):
    """Each of them fails the second time in a row, and harms nobody else."""

    def test_gate_can_be_locked(self):
        self.assertTrue(cache.add("gate", "locked"))

    def test_visitor_is_the_first(self):
        caches["files"].add("visitors", 0)
        self.assertEqual(caches["files"].incr("visitors"), 1)


class KeptTests(SimpleTestCase):
    """They store and read, and nobody else asks for it."""

    def test_bell_is_kept(self):
        cache.set("bell", 1)
        self.assertEqual(cache.get("bell"), 1)

    def test_bell_is_kept_in_files(self):
        caches["files"].set("bell", 1)
        self.assertEqual(caches["files"].get("bell"), 1)

    def test_bell_is_overwritten_before_it_is_read(self):
        cache.set("bell", 2)
        self.assertEqual(cache.get("bell"), 2)

    def test_bell_may_be_there_or_not(self):
        self.assertIn(cache.get("bell"), (None, 1, 2))

    def test_bell_of_another_alias(self):
        self.assertIsNone(caches["second"].get("bell"))

    def test_bell_of_another_version(self):
        self.assertIsNone(cache.get("bell", version=2))

    def test_second_is_emptied(self):
        caches["second"].clear()
        self.assertNotIn("map", caches["second"])


class ListTests(SimpleTestCase):
    """Entries in files."""

    def test_list_is_empty(self):
        self.assertEqual(caches["files"].get("list", []), [])

    def test_list_is_filled(self):
        caches["files"].set("list", ["Emma"])
        self.assertEqual(caches["files"].get("list"), ["Emma"])

    def test_list_is_thrown_away(self):
        caches["files"].delete("list")
        self.assertNotIn("list", caches["files"])


class MapTests(SimpleTestCase):
    """A test that needs what another one has stored."""

    def test_map_is_drawn(self):
        caches["second"].set("map", "town")
        self.assertEqual(caches["second"].get("map"), "town")

    def test_map_is_read(self):
        self.assertEqual(caches["second"].get("map"), "town")


class SessionTests(SimpleTestCase):
    def test_visitor_is_a_stranger(self):
        self.assertIsNone(SessionStore(VISITOR).get("name"))

    def test_visitor_says_a_name(self):
        session = SessionStore()
        session["name"] = "Ada"
        session._session_key = VISITOR
        with contextlib.suppress(CreateError):
            session.save(must_create=True)
        self.assertEqual(SessionStore(VISITOR).get("name"), "Ada")


class ShelfTests(SimpleTestCase):
    def test_shelf_can_be_closed(self):
        if cache.get("shelf"):
            self.skipTest("there is something in it")
        self.assertIsNone(cache.get("shelf"))

    def test_shelf_is_empty(self):
        self.assertIsNone(cache.get("shelf"))

    def test_shelf_is_filled(self):
        cache.set("shelf", "full")
        self.assertEqual(cache.get("shelf"), "full")


class SweepTests(SimpleTestCase):
    """It hides each leak through the default cache."""

    def test_all_is_swept(self):
        cache.clear()
        self.assertNotIn("shelf", cache)


class TidyTests(SimpleTestCase):
    def test_shelf_is_emptied_again(self):
        cache.delete("shelf")
        self.assertNotIn("shelf", cache)

    def test_shelf_is_filled_by_somebody_else(self):
        cache.set("shelf", ["Emma"])
        self.assertIn("shelf", cache)


class ZVisitTests(SimpleTestCase):
    def test_visit_is_the_first(self):
        cache.add("visits", 0)
        self.assertEqual(cache.incr("visits"), 1)
        cache.decr("visits")

    def test_visits_are_counted(self):
        cache.set("visits", 7)
        self.assertEqual(cache.incr("visits"), 8)
