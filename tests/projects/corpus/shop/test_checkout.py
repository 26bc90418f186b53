"""One polluter of many, many polluters of one, two together, and one behind a cleaner.

The polluters of `CheckoutTests` and `DeliveryTests` stand in `test_zz_elsewhere`.
"""

import unittest

from django.core.cache import cache
from django.test import SimpleTestCase

from shop.services import is_on, switch_on


class CheckoutTests(unittest.TestCase):
    """The old checkout, step by step: the new one has another number of all of it."""

    def number_of(self, old, new):
        return new if is_on("new-checkout") else old

    def test_buttons(self):
        self.assertEqual(self.number_of(3, 1), 3)

    def test_columns(self):
        self.assertEqual(self.number_of(2, 1), 2)

    def test_countries(self):
        self.assertEqual(self.number_of(2, 20), 2)

    def test_errors(self):
        self.assertEqual(self.number_of(4, 3), 4)

    def test_fields(self):
        self.assertEqual(self.number_of(12, 6), 12)

    def test_forms(self):
        self.assertEqual(self.number_of(2, 1), 2)

    def test_headings(self):
        self.assertEqual(self.number_of(5, 4), 5)

    def test_images(self):
        self.assertEqual(self.number_of(0, 1), 0)

    def test_links(self):
        self.assertEqual(self.number_of(7, 2), 7)

    def test_mails(self):
        self.assertEqual(self.number_of(2, 1), 2)

    def test_pages(self):
        self.assertEqual(self.number_of(4, 1), 4)

    def test_payments(self):
        self.assertEqual(self.number_of(1, 3), 1)

    def test_scripts(self):
        self.assertEqual(self.number_of(0, 5), 0)

    def test_zero_is_zero_in_both(self):
        self.assertEqual(self.number_of(0, 0), 0)


class DeliveryTests(unittest.TestCase):
    """Any of four tests elsewhere does it."""

    def test_delivery_takes_two_days(self):
        self.assertEqual(cache.get_or_set("delivery:days", 2), 2)


class GiftTests(SimpleTestCase):
    """A gift goes out when it is both wrapped and addressed."""

    def test_gift_is_not_sent(self):
        there = cache.get_many(["gift:wrapped", "gift:addressed"])
        self.assertLess(len(there), 2)

    def test_gift_is_wrapped(self):
        cache.set("gift:wrapped", "yes")
        self.assertEqual(cache.get("gift:wrapped"), "yes")

    def test_gift_of_a_friend_is_addressed(self):
        cache.set("gift:addressed", "yes")
        self.assertEqual(cache.get("gift:addressed"), "yes")


class MaintenanceTests(SimpleTestCase):
    """In this order and in its reverse the one in the middle hides the leak."""

    def test_begins(self):
        switch_on("maintenance")
        self.assertTrue(is_on("maintenance"))

    def test_ends(self):
        cache.delete("feature:maintenance")
        self.assertFalse(is_on("maintenance"))

    def test_shop_is_open(self):
        self.assertFalse(is_on("maintenance"))


class RestockingTests(SimpleTestCase):
    """As before, where what hides the leak overwrites it."""

    def test_jam_is_sold_out(self):
        cache.set("jars:jam", 0)
        self.assertEqual(cache.get("jars:jam"), 0)

    def test_jars_are_filled(self):
        cache.set_many({"jars:jam": 8, "jars:honey": 8})
        self.assertEqual(cache.get("jars:jam"), 8)

    def test_six_jars_can_be_sold(self):
        cache.get_or_set("jars:jam", 8)
        self.assertGreaterEqual(cache.decr("jars:jam", 6), 0)
