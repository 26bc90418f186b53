"""Polluters whose victims stand in other modules, before them in the usual order."""

import unittest

from django.core.cache import cache
from django.test import SimpleTestCase, TestCase

from shop.services import is_on, switch_on


class NewCheckoutTests(unittest.TestCase):
    def test_new_checkout_can_be_switched_on(self):
        switch_on("new-checkout")
        self.assertTrue(is_on("new-checkout"))


class CourierTests(unittest.TestCase):
    """Each leaves another number of days, and any will do."""

    def test_balloon(self):
        cache.set("delivery:days", 30)

    def test_bicycle(self):
        cache.set("delivery:days", 1)

    def test_ship(self):
        cache.set("delivery:days", 90)

    def test_truck(self):
        cache.set_many({"delivery:days": 3, "delivery:by": "truck"})


class VoucherTests(TestCase):
    """With a database and without one: sorted before the rest by every runner."""

    def test_voucher_is_unused(self):
        self.assertIsNone(cache.get("voucher"))


class VoucherUseTests(SimpleTestCase):
    def test_voucher_is_used(self):
        cache.set("voucher", "used")
        self.assertEqual(cache.get("voucher"), "used")


class VoucherPrintTests(unittest.TestCase):
    def test_voucher_is_printed(self):
        cache.set("voucher", "printed", timeout=None)
        self.assertEqual(cache.get("voucher"), "printed")
