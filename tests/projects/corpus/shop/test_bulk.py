"""Leaks through several keys at once, and through versions and prefixes of a key."""

from django.core.cache import cache, caches
from django.test import SimpleTestCase


class ManyKeysTests(SimpleTestCase):
    def test_no_rates_are_known(self):
        self.assertEqual(cache.get_many(["rate:de", "rate:fr"]), {})

    def test_rates_are_loaded(self):
        cache.set_many({"rate:de": 19, "rate:fr": 20})
        self.assertEqual(cache.get("rate:fr"), 20)

    def test_seat_is_free(self):
        cache.delete_many(["seat:1", "seat:2"])
        self.assertTrue(cache.add("seat:3", "taken"))

    def test_seats_are_taken(self):
        cache.set_many(dict.fromkeys(["seat:1", "seat:2", "seat:3"], "taken"))
        self.assertFalse(cache.add("seat:3", "taken"))


class VersionTests(SimpleTestCase):
    def test_catalogue_three_is_not_out(self):
        self.assertIsNone(cache.get("catalogue", version=3))

    def test_catalogue_three_is_printed(self):
        cache.set("catalogue", "spring", version=3)
        self.assertEqual(cache.get("catalogue", version=3), "spring")

    def test_layout_has_no_successor(self):
        self.assertIsNone(cache.get("layout", version=2))

    def test_layout_is_replaced(self):
        cache.set("layout", "new")
        self.assertEqual(cache.incr_version("layout"), 2)

    def test_poster_can_not_go_back(self):
        with self.assertRaisesMessage(ValueError, "not found"):
            cache.decr_version("poster", version=2)

    def test_poster_of_next_year(self):
        cache.set("poster", "next", version=2)
        self.assertTrue(cache.has_key("poster", version=2))


class PrefixTests(SimpleTestCase):
    def test_slogan_is_not_translated(self):
        self.assertIsNone(caches["branch-de"].get("slogan"))

    def test_slogan_is_translated(self):
        caches["branch-de"].set("slogan", "frisch")
        self.assertEqual(caches["branch-de"].get("slogan"), "frisch")
