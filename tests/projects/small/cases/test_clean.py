"""Nothing to be found here."""

from unittest import skip

from django.test import SimpleTestCase, TestCase


class FirstTests(TestCase):
    def test_one(self):
        pass

    def test_two(self):
        pass


class SecondTests(SimpleTestCase):
    def test_three(self):
        pass

    @skip("on purpose")
    def test_skipped(self):
        pass
