"""Leaks through one key: every method of a cache that looks, and some that leave."""

from django.core.cache import cache
from django.test import SimpleTestCase


class ReadTests(SimpleTestCase):
    def test_banner_is_not_there_at_first(self):
        self.assertNotIn("banner", cache)

    def test_banner_is_shown(self):
        cache.set("banner", "sale")
        self.assertIn("banner", cache)

    def test_currency_is_euro(self):
        self.assertEqual(cache.get_or_set("currency", lambda: "EUR"), "EUR")

    def test_currency_of_a_traveller(self):
        cache.set("currency", "USD")
        self.assertEqual(cache.get("currency"), "USD")

    def test_discount_has_a_default(self):
        self.assertEqual(cache.get("discount", 0), 0)

    def test_discount_of_a_friend(self):
        cache.set("discount", 15)
        self.assertEqual(cache.get("discount", 0), 15)

    def test_notice_is_missing(self):
        self.assertFalse(cache.has_key("notice"))

    def test_notice_is_put_up(self):
        cache.get_or_set("notice", "closed on Monday")
        self.assertTrue(cache.has_key("notice"))

    def test_price_is_unknown(self):
        self.assertIsNone(cache.get("price:apple"))

    def test_price_is_written_down(self):
        cache.set("price:apple", 3)
        self.assertEqual(cache.get("price:apple"), 3)


class CountTests(SimpleTestCase):
    def test_coupon_can_not_be_counted_before_it_is_used(self):
        with self.assertRaisesMessage(ValueError, "not found"):
            cache.incr("coupon:uses")

    def test_coupon_is_used(self):
        cache.set("coupon:uses", 1)
        self.assertEqual(cache.get("coupon:uses"), 1)

    def test_pears_become_fewer(self):
        cache.get_or_set("stock:pear", 5)
        self.assertEqual(cache.decr("stock:pear"), 4)

    def test_pears_sell(self):
        cache.add("stock:pear", 5)
        before = cache.get("stock:pear")
        self.assertEqual(cache.decr("stock:pear"), before - 1)

    def test_visit_is_the_first(self):
        cache.add("visits", 0)
        self.assertEqual(cache.incr("visits"), 1)

    def test_visits_are_counted(self):
        cache.add("visits", 0)
        before = cache.get("visits")
        self.assertEqual(cache.incr("visits", 2), before + 2)


class WriteTests(SimpleTestCase):
    def test_order_can_be_added(self):
        self.assertTrue(cache.add("order:1", "open"))

    def test_order_is_paid(self):
        cache.set("order:1", "paid")
        self.assertFalse(cache.add("order:1", "open"))

    def test_parcel_can_not_be_kept_longer(self):
        self.assertFalse(cache.touch("parcel:7", 60))

    def test_parcel_is_kept_for_ever(self):
        cache.set("parcel:7", "here")
        self.assertTrue(cache.touch("parcel:7", None))

    def test_wish_is_not_there_to_be_deleted(self):
        self.assertFalse(cache.delete("wish:7"))

    def test_wish_is_noted(self):
        self.assertTrue(cache.add("wish:7", "pear") or cache.get("wish:7"))


class TimeoutTests(SimpleTestCase):
    def test_flash_sale_is_over_at_once(self):
        cache.add("flash-sale", "on", timeout=0)
        self.assertIsNone(cache.get("flash-sale"))

    def test_flash_sale_that_never_ends(self):
        cache.set("flash-sale", "on", timeout=None)
        self.assertEqual(cache.get("flash-sale"), "on")

    def test_offer_of_the_day_is_not_out(self):
        self.assertEqual(cache.get("offer", "none yet"), "none yet")

    def test_offer_of_the_day_stays_for_an_hour(self):
        cache.set("offer", "plums", timeout=3600)
        self.assertTrue(cache.touch("offer", 7200))


class BoundaryTests(SimpleTestCase):
    """Looked at in setUp, left in tearDown."""

    def setUp(self):
        self.door = cache.get("door")

    def tearDown(self):
        if self._testMethodName == "test_door_stays_open":
            cache.set("door", "open")

    def test_door_is_closed(self):
        self.assertIsNone(self.door)

    def test_door_stays_open(self):
        self.assertIn(self.door, (None, "open"))

    def test_window_is_closed(self):
        self.assertIsNone(cache.get("window"))

    def test_window_is_left_open(self):
        self.addCleanup(cache.set, "window", "open")
        self.assertIn(cache.get("window"), (None, "open"))
