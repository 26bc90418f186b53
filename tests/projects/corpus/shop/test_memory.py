"""Leaks through functions that remember, and what only looks like them."""

from unittest import mock

from django.contrib.contenttypes.models import ContentType
from django.contrib.sites.models import Site
from django.test import SimpleTestCase, TestCase, override_settings

from shop import remembering
from shop.remembering import Opening


class NameTests(SimpleTestCase):
    def test_name_is_the_corner_shop(self):
        self.assertEqual(remembering.name(), "Corner Shop")

    @override_settings(SHOP_NAME="Mall")
    def test_name_of_the_mall_is_used(self):
        self.assertTrue(remembering.name())

    def test_some_name(self):
        self.assertIsInstance(remembering.name(), str)


class NameClearedTests(SimpleTestCase):
    def setUp(self):
        remembering.name.cache_clear()
        self.addCleanup(remembering.name.cache_clear)

    def test_name_after_clearing(self):
        self.assertEqual(remembering.name(), "Corner Shop")

    @override_settings(SHOP_NAME="Mall")
    def test_name_of_the_mall_after_clearing(self):
        self.assertEqual(remembering.name(), "Mall")


class HoursTests(SimpleTestCase):
    def test_hours_on_monday(self):
        self.assertEqual(Opening().hours("monday"), "9-18")

    def test_hours_on_sunday(self):
        self.assertEqual(Opening().hours("sunday"), "closed")

    def test_inventory_on_monday(self):
        with mock.patch.dict(remembering.HOURS, monday="closed"):
            self.assertIn(Opening().hours("monday"), {"closed", "9-18"})

    def test_timetable_is_printed_anew(self):
        Opening.hours.cache_clear()


class SupplierTests(SimpleTestCase):
    def test_contract_with_the_farm(self):
        with mock.patch.dict(remembering.SUPPLIERS, eggs="Old Farm"):
            self.assertEqual(remembering.supplier("eggs"), "Old Farm")

    def test_eggs_come_from_the_farm(self):
        """Brittle: it needs what was remembered before."""
        self.assertEqual(remembering.supplier("eggs"), "Old Farm")


class WeekdayTests(SimpleTestCase):
    def test_first_day(self):
        self.assertEqual(remembering.weekday(0), "monday")

    def test_first_day_again(self):
        self.assertEqual(remembering.weekday(0), "monday")


class TypeTests(TestCase):
    """What a transaction is rolled back from, Django's managers remember."""

    def test_no_type_of_carts(self):
        with self.assertRaisesMessage(ContentType.DoesNotExist, "does not"):
            ContentType.objects.get_by_natural_key("shop", "cart")

    def test_type_of_carts(self):
        ContentType.objects.get_or_create(app_label="shop", model="cart")
        found = ContentType.objects.get_by_natural_key("shop", "cart")
        self.assertEqual(found.model, "cart")


class SiteTests(TestCase):
    def move(self, domain):
        site = Site.objects.get(pk=1)
        site.domain = domain
        site.save()

    def test_domain_is_the_default(self):
        self.assertEqual(Site.objects.get_current().domain, "example.com")

    def test_moved_and_back(self):
        self.addCleanup(Site.objects.clear_cache)
        self.move("back.example")
        self.assertEqual(Site.objects.get_current().domain, "back.example")

    def test_moved_to_another_domain(self):
        self.move("moved.example")
        self.assertEqual(Site.objects.get_current().domain, "moved.example")
