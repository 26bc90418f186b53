"""Leaks of the shop's own code: locks, numbers, results that are kept; and threads."""

import asyncio
import contextlib
import threading
from unittest import mock

from django.core.cache import cache
from django.test import SimpleTestCase, TestCase

from shop.services import TAXES, Lock, Locked, next_number, tax


class LockTests(SimpleTestCase):
    def test_till_can_be_locked(self):
        Lock("till").acquire()
        Lock("till").release()

    def test_till_is_refused_to_the_second(self):
        lock = Lock("till")
        with contextlib.suppress(Locked):
            lock.acquire()
        with self.assertRaisesMessage(Locked, "lock:till"):
            lock.acquire()


class NumberTests(TestCase):
    def test_bill_has_number_one(self):
        self.assertEqual(next_number("bill"), 1)

    def test_bills_have_consecutive_numbers(self):
        first = next_number("bill")
        self.assertEqual(next_number("bill"), first + 1)


class TaxTests(SimpleTestCase):
    """A result that was computed from a mock is kept when the mock is gone."""

    def test_tax_in_france(self):
        self.assertEqual(tax("FR"), 20)

    def test_tax_is_abolished(self):
        with mock.patch.dict(TAXES, FR=0):
            self.assertIn(tax("FR"), (0, 20))


class AsyncTests(SimpleTestCase):
    async def test_courier_is_idle(self):
        self.assertIsNone(await cache.aget("courier"))

    async def test_courier_is_sent(self):
        await cache.aset("courier", "away")
        self.assertEqual(await cache.aget("courier"), "away")

    async def test_doorbell_can_be_installed(self):
        added = await asyncio.gather(cache.aadd("bell", 1), cache.ahas_key("bell"))
        self.assertTrue(added[0])

    async def test_doorbell_is_there(self):
        await cache.aset_many({"bell": 1, "knocker": 1})
        self.assertTrue(await cache.ahas_key("bell"))


class ThreadTests(SimpleTestCase):
    def test_mail_has_not_come(self):
        self.assertNotIn("mail", cache)

    def test_mail_is_brought_by_a_thread(self):
        thread = threading.Thread(target=cache.set, args=("mail", "letter"))
        thread.start()
        thread.join()
        self.assertEqual(cache.get("mail"), "letter")
