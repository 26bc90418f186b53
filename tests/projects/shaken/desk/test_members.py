"""Tests with a database: runners put them before all others."""

import decimal

from django.core.cache import cache
from django.test import SimpleTestCase, TestCase, TransactionTestCase

from desk.models import Member


def count_readers():
    readers = Member.objects.filter(name__startswith="Reader")
    return cache.get_or_set("readers", readers.count)


class CountTests(TestCase):
    """Rows are rolled back, the count stays. Each spoils what the other counts."""

    def test_five_readers(self):
        Member.objects.bulk_create(Member(name=f"Reader {n}") for n in range(5))
        self.assertEqual(count_readers(), 5)

    def test_forgets_the_count(self):
        cache.delete("readers")
        self.assertNotIn("readers", cache)

    def test_no_readers(self):
        self.assertEqual(count_readers(), 0)


class InterestTests(TestCase):
    """The context of decimal numbers, which a test without a database spoils too."""

    def test_interest_is_exact(self):
        self.assertEqual(str(decimal.Decimal(1) / 3)[:7], "0.33333")

    def test_interest_is_rounded(self):
        decimal.getcontext().prec = 3
        self.assertEqual(str(decimal.Decimal(1) / 3), "0.333")

    def test_interest_is_rounded_for_a_while(self):
        with decimal.localcontext(prec=2):
            self.assertEqual(str(decimal.Decimal(1) / 3), "0.33")


class MemberTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.ada = Member.objects.create(name="Ada")

    def test_member_is_renamed(self):
        Member.objects.filter(name="Ada").update(name="Augusta")
        self.assertTrue(Member.objects.filter(name="Augusta").exists())

    def test_member_leaves(self):
        self.ada.delete()
        self.assertFalse(Member.objects.filter(name="Ada").exists())

    def test_member_stays(self):
        self.assertTrue(Member.objects.filter(name="Ada").exists())


class RoundTests(SimpleTestCase):
    def test_fees_are_rounded(self):
        decimal.getcontext().prec = 2
        self.assertEqual(str(decimal.Decimal(2) / 3), "0.67")


class TruncatedTests(TransactionTestCase):
    """What these commit is gone at their end."""

    def test_member_is_committed(self):
        Member.objects.create(name="Bob")
        self.assertTrue(Member.objects.filter(name="Bob").exists())
