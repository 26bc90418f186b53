"""Tests that fail by chance, for ever, or not yet; and some that only look like it.

Chance comes from the system: a runner may seed `random` before each test.
"""

import os
from datetime import UTC, datetime
from unittest import expectedFailure, skip

from django.conf import settings
from django.core.cache import cache
from django.test import SimpleTestCase

from desk import lending


def chance(one_in):
    """Tell, once in so many times, True."""
    return int.from_bytes(os.urandom(4)) % one_in == 0


class BrokenTests(SimpleTestCase):
    def test_is_broken(self):
        self.assertEqual(1, 2)

    def test_is_broken_and_reads_what_others_store(self):
        self.assertEqual(cache.get("shelf"), "broken")

    def test_raises(self):
        raise ValueError("always")


class ChanceTests(SimpleTestCase):
    def test_fails_at_some_moments(self):
        self.assertNotEqual(datetime.now(tz=UTC).microsecond % 8, 3)

    def test_fails_once_in_four_times(self):
        self.assertFalse(chance(4))

    def test_fails_once_in_four_times_and_reads_what_others_store(self):
        cache.get("shelf")
        self.assertFalse(chance(4))

    def test_fails_once_in_twenty_times(self):
        self.assertFalse(chance(20))

    def test_fails_once_in_three_times_and_leaves_something(self):
        settings.DESK_NAME = "Lottery"
        self.assertFalse(chance(3))


class NotYetTests(SimpleTestCase):
    @expectedFailure
    def test_fails_as_expected(self):
        self.assertEqual(1, 2)

    @skip("not yet")
    def test_is_skipped(self):
        raise ValueError("never")

    def test_skips_itself(self):
        if lending.loans or not lending.loans:
            self.skipTest("not today")


class SteadyTests(SimpleTestCase):
    """Of those that look like chance, and pass whatever it brings."""

    def test_chance_is_a_claim(self):
        self.assertIn(chance(4), (True, False))

    def test_time_goes_on(self):
        self.assertLessEqual(datetime.now(tz=UTC), datetime.now(tz=UTC))
