"""Tests that an order alone does not decide."""

from pathlib import Path

from django.test import SimpleTestCase

marker = Path("marker")


class RandomTests(SimpleTestCase):
    def test_every_second_time(self):
        if marker.exists():
            marker.unlink()
        else:
            marker.touch()
            self.fail("this time")

    def test_sound(self):
        pass
