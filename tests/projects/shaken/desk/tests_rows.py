"""Rows that nobody rolls back. For Django's runner: pytest forbids these queries."""

import unittest

from django.test import TestCase

from desk.models import Member


class CommittedTests(unittest.TestCase):
    def test_all_leave(self):
        Member.objects.all().delete()
        self.assertEqual(Member.objects.count(), 0)

    def test_nobody_is_a_member(self):
        self.assertEqual(Member.objects.count(), 0)

    def test_somebody_becomes_a_member(self):
        Member.objects.create(name="Eve")
        self.assertTrue(Member.objects.filter(name="Eve").exists())


class RolledBackTests(TestCase):
    """No order that Django makes puts it behind the class above."""

    def test_nobody_called_eve_is_a_member(self):
        self.assertFalse(Member.objects.filter(name="Eve").exists())

    def test_somebody_is_a_member_for_a_while(self):
        Member.objects.create(name="Zoe")
        self.assertTrue(Member.objects.filter(name="Zoe").exists())
