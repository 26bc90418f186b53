"""No leaks: they look at what others left, and pass whatever they find."""

from django.core.cache import cache, caches
from django.test import Client, SimpleTestCase, TestCase
from rest_framework.test import APISimpleTestCase

from shop.services import Lock, Locked, is_on, next_number, shipping


class LookingTests(SimpleTestCase):
    """At keys that the polluters of `test_keys` leave."""

    def test_add_without_asking_what_it_did(self):
        cache.add("order:1", "open")
        self.assertIn("order:1", cache)

    def test_any_value_will_do(self):
        self.assertIn(cache.get("banner", "none"), ("none", "sale"))

    def test_delete_whether_there_or_not(self):
        cache.delete("wish:7")
        self.assertNotIn("wish:7", cache)

    def test_delete_many_whether_there_or_not(self):
        cache.delete_many(["rate:de", "rate:fr"])
        self.assertEqual(cache.get_many(["rate:de", "rate:fr"]), {})

    def test_has_key_is_only_called(self):
        self.assertIsInstance(cache.has_key("notice"), bool)

    def test_increment_of_whatever_is_there(self):
        cache.add("visits", 0)
        self.assertGreater(cache.incr("visits"), 0)
        cache.decr("visits")

    def test_price_is_read_and_not_asserted(self):
        cache.get("price:apple")
        cache.get_many(["price:apple", "price:plum"])

    def test_price_is_set_before_it_is_read(self):
        cache.set("price:apple", 3)
        self.assertEqual(cache.get("price:apple"), 3)

    def test_seats_are_deleted_before_they_are_added(self):
        cache.delete("seat:3")
        self.assertTrue(cache.add("seat:3", "taken"))
        cache.delete("seat:3")

    def test_touch_whether_there_or_not(self):
        self.assertIn(cache.touch("parcel:7"), (True, False))

    def test_feature_is_asked_for_and_not_used(self):
        price = 3 if is_on("new-checkout") else 2 + 1
        self.assertEqual(price, 3)


class ServiceTests(SimpleTestCase):
    def test_bill_has_some_number(self):
        self.assertGreater(next_number("bill"), 0)
        cache.delete("number:bill")

    def test_lock_may_be_held(self):
        try:
            Lock("till").acquire()
        except Locked:
            return
        Lock("till").release()

    def test_shipping_to_germany(self):
        self.assertEqual(shipping("DE"), 5)

    def test_shipping_to_germany_again(self):
        self.assertEqual(shipping("DE"), 5)


class SameValueTests(SimpleTestCase):
    """Both leave the same value and are content with it."""

    def test_country_by_default(self):
        self.assertEqual(cache.get_or_set("country", "DE"), "DE")

    def test_country_is_set(self):
        cache.set("country", "DE")
        self.assertEqual(cache.get("country"), "DE")

    def test_vat_by_default(self):
        self.assertEqual(cache.get("vat", 19), 19)

    def test_vat_is_set_for_ever(self):
        cache.set("vat", 19, timeout=None)
        self.assertEqual(cache.get("vat", 19), 19)


class ClearFirstTests(SimpleTestCase):
    def setUp(self):
        caches["second"].clear()

    def test_archive_is_empty(self):
        self.assertIsNone(caches["second"].get("archive"))

    def test_archive_is_filled(self):
        self.assertTrue(caches["second"].add("archive", "paper"))


class OnlyReadTests(TestCase):
    """An entry of the class's set-up that nobody spoils."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cache.set("opening", "9 to 5")
        cls.addClassCleanup(cache.delete, "opening")

    def test_opening_is_read(self):
        self.assertEqual(cache.get("opening"), "9 to 5")

    def test_opening_is_read_again(self):
        self.assertEqual(cache.get("opening"), "9 to 5")

    def test_opening_is_written_as_it_was(self):
        cache.set("opening", "9 to 5")
        self.assertEqual(cache.get("opening"), "9 to 5")


class PageTests(SimpleTestCase):
    def test_contact_page_is_there(self):
        self.assertEqual(self.client.get("/contact/").status_code, 200)

    def test_contact_page_is_still_there(self):
        self.assertEqual(Client().get("/contact/").status_code, 200)

    def test_imprint_names_the_shop(self):
        self.assertEqual(self.client.get("/imprint/").content, b"Corner Shop")

    def test_imprint_names_the_shop_again(self):
        self.assertEqual(self.client.get("/imprint/").content, b"Corner Shop")

    def test_menu_in_another_language(self):
        self.assertContains(self.client.get("/menu/de/?dish=suppe"), "suppe")

    def test_session_of_somebody_else(self):
        session = self.client.session
        session["basket"] = ["plum"]
        session.save()
        self.assertEqual(self.client.get("/basket/").content, b"plum")


class ThrottleTests(APISimpleTestCase):
    def test_search_from_another_address(self):
        answer = self.client.get("/search/", REMOTE_ADDR="192.0.2.7")
        self.assertEqual(answer.status_code, 200)

    def test_search_answers_somehow(self):
        self.assertIn(self.client.get("/search/").status_code, (200, 429))
