"""Set-up of a class that fails behind another one."""

from django.test import SimpleTestCase

seen = []


class ATests(SimpleTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        assert not seen

    def test_one(self):
        pass


class BTests(SimpleTestCase):
    def test_two(self):
        seen.append(1)


class OutcomeTests(SimpleTestCase):
    """Every other outcome that unittest knows; all of them count as passed."""

    def test_expected_failure(self):
        self.fail("as expected")

    test_expected_failure.__unittest_expecting_failure__ = True

    def test_sub_tests(self):
        for number in range(2):
            with self.subTest(number):
                self.assertLess(number, 2)
