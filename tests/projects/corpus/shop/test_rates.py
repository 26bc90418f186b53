"""Brittle tests: alone they fail; what they need, another test happened to store."""

from django.core.cache import cache, caches
from django.test import SimpleTestCase


class RateTests(SimpleTestCase):
    def test_dollar_rate_is_fetched(self):
        cache.set("rate:usd", 1.1)
        self.assertEqual(cache.get("rate:usd"), 1.1)

    def test_dollars_are_converted(self):
        self.assertEqual(10 * cache.get("rate:usd", 0), 11)


class PointTests(SimpleTestCase):
    """Either of two sets the state."""

    def test_account_is_opened(self):
        cache.set("points", 0)
        self.assertEqual(cache.get("points"), 0)

    def test_account_with_a_bonus(self):
        cache.set("points", 50)
        self.assertEqual(cache.get("points"), 50)

    def test_points_are_earned(self):
        self.assertGreaterEqual(cache.incr("points", 5), 5)


class DraftTests(SimpleTestCase):
    def test_draft_is_saved(self):
        caches["files"].set("draft", "Dear customer")
        self.assertEqual(caches["files"].get("draft"), "Dear customer")

    def test_draft_is_sent(self):
        self.assertTrue(caches["files"].delete("draft"))


class FriendTests(SimpleTestCase):
    """What sets the state stands in `test_keys`."""

    def test_friends_pay_less(self):
        self.assertEqual(100 - cache.get("discount", 0), 85)
