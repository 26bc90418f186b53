"""Leaks through other aliases, each of another kind of store."""

from django.core.cache import caches
from django.test import SimpleTestCase, TestCase, TransactionTestCase


class SecondTests(SimpleTestCase):
    def test_logo_is_not_drawn(self):
        self.assertIsNone(caches["second"].get("logo"))

    def test_logo_is_uploaded(self):
        caches["second"].set("logo", "pear.svg", timeout=None)
        self.assertTrue(caches["second"].has_key("logo"))

    def test_theme_is_light(self):
        self.assertEqual(caches["second"].get_or_set("theme", "light"), "light")

    def test_theme_of_a_night_owl(self):
        caches["second"].set("theme", "dark")
        self.assertEqual(caches["second"].get_or_set("theme", "light"), "dark")


class FilesTests(SimpleTestCase):
    def test_invoice_is_not_written(self):
        self.assertIsNone(caches["files"].get("invoice:1"))

    def test_invoice_is_written(self):
        caches["files"].set("invoice:1", "12 EUR")
        self.assertEqual(caches["files"].get("invoice:1"), "12 EUR")

    def test_receipt_has_number_one(self):
        caches["files"].add("receipts", 0)
        self.assertEqual(caches["files"].incr("receipts"), 1)

    def test_receipts_have_numbers(self):
        caches["files"].add("receipts", 0)
        self.assertGreater(caches["files"].incr("receipts"), 0)


class RolledBackTableTests(TestCase):
    """What it stores is rolled back: no polluters here, but a victim."""

    def test_address_is_unknown(self):
        self.assertIsNone(caches["table"].get("address:7"))

    def test_phone_is_noted(self):
        caches["table"].set("phone:7", "555")
        self.assertEqual(caches["table"].get("phone:7"), "555")

    def test_phone_of_another(self):
        self.assertIsNone(caches["table"].get("phone:7"))


class TableTests(TransactionTestCase):
    def test_address_can_be_added(self):
        self.assertTrue(caches["table"].add("address:7", "Main Street"))
        self.assertTrue(caches["table"].delete("address:7"))

    def test_address_is_noted(self):
        caches["table"].set("address:7", "Side Street")
        self.assertEqual(caches["table"].get("address:7"), "Side Street")
