"""What the set-up of a class or a module leaves: each of its tests pollutes.

The victims stand in classes that come before, in every runner's order.
"""

from django.core.cache import cache
from django.test import SimpleTestCase


def setUpModule():
    cache.set("season", "winter")


def tearDownModule():
    cache.set("snow", "melted")


class AdventTests(SimpleTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cache.set("candles", 4)

    def test_candles_are_counted(self):
        self.assertEqual(cache.get("candles"), 4)

    def test_winter_is_the_season(self):
        self.assertEqual(cache.get("season"), "winter")


class CarnivalTests(SimpleTestCase):
    def test_season_is_set_up(self):
        self.assertEqual(cache.get("season"), "winter")

    @classmethod
    def tearDownClass(cls):
        cache.set("mask", "on")
        super().tearDownClass()
