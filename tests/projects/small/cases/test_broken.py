"""One test that fails whatever the order."""

from django.test import SimpleTestCase


class BrokenTests(SimpleTestCase):
    def test_broken(self):
        self.fail("always")

    def test_sound(self):
        with self.subTest("one"):
            pass
