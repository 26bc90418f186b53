"""Victims of what the set-up and tear-down of `test_season` leave."""

from django.core.cache import cache
from django.test import SimpleTestCase


class CalendarTests(SimpleTestCase):
    def test_candles_are_not_lit(self):
        self.assertEqual(cache.get("candles", 0), 0)

    def test_mask_is_off(self):
        self.assertIsNone(cache.get("mask"))

    def test_season_is_summer_by_default(self):
        self.assertEqual(cache.get_or_set("season", "summer"), "summer")

    def test_snow_is_not_forecast(self):
        self.assertFalse(cache.has_key("snow"))
