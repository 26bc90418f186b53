"""Every base class that people use, three tests each, all of them alike on purpose.

Whichever of a class's three runs second meets the first, in any order, unless each
has sections of its own.
"""

import threading
import unittest
import urllib.error
import urllib.request

from django.core.cache import cache, caches
from django.db import connections
from django.test import (
    LiveServerTestCase,
    SimpleTestCase,
    TestCase,
    TransactionTestCase,
    override_settings,
)
from kinds.stores import ALLOWED, HAS_ASYNC, OTHER
from rest_framework.test import APITestCase

from leaks.checks import SPOILERS, change, clear, delete, meet, store


def setUpModule():
    store("module")


def tearDownModule():
    # As set-up left it: what the tests did is gone.
    change("module")


class Meeting:
    """Three tests that meet each other where nothing keeps them apart."""

    def test_one(self):
        meet(self.id())

    def test_two(self):
        meet(self.id())

    def test_three(self):
        meet(self.id())

    def test_module_changed(self):
        change("module")

    def test_module_deleted(self):
        delete("module")

    def test_module_cleared(self):
        clear("module")


class PlainTests(Meeting, unittest.TestCase):
    pass


class SetUpTests(unittest.TestCase):
    def setUp(self):
        meet(self.id())

    def tearDown(self):
        assert cache.get("left-behind") == self.id()

    def test_one(self):
        cache.incr("module-count")

    def test_two(self):
        self.assertEqual(cache.incr("module-count"), 2)


class SimpleTests(Meeting, SimpleTestCase):
    databases = ALLOWED


class DatabaseTests(Meeting, TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        store("class")
        if not ALLOWED:
            # Runs after the rollback, which takes entries in a table along.
            cls.addClassCleanup(change, "class")

    @classmethod
    def setUpTestData(cls):
        store("data")

    @classmethod
    def tearDownClass(cls):
        change("data")
        super().tearDownClass()

    def test_changed(self):
        change("data")
        change("class")

    def test_deleted(self):
        delete("data")
        delete("class")

    def test_cleared(self):
        clear("data")

    def test_as_stored(self):
        for spoil in SPOILERS:
            store("own")
            spoil("own")


class TransactionTests(Meeting, TransactionTestCase):
    pass


class ServerTests(Meeting, LiveServerTestCase):
    def count(self):
        url = f"{self.live_server_url}/count/"
        try:
            with urllib.request.urlopen(url, timeout=9) as page:
                return page.read()
        except urllib.error.HTTPError as error:
            # It can't be pickled: as it is it would end a run that is split.
            self.fail(str(error))

    def test_first_visit(self):
        self.assertEqual(self.count(), b"1")
        self.assertEqual(cache.get("page"), 1)

    def test_first_visit_again(self):
        self.assertEqual(self.count(), b"1")


class RestTests(Meeting, APITestCase):
    def test_client(self):
        self.assertEqual(self.client.get("/count/").content, b"1")

    def test_client_again(self):
        self.assertEqual(self.client.get("/count/").content, b"1")


@unittest.skipUnless(HAS_ASYNC, "django-valkey has other backends for it")
class AsyncTests(TestCase):
    async def meet(self):
        self.assertIsNone(await cache.aget("async"))
        await cache.aset("async", 1)
        self.assertEqual(await cache.aincr("async"), 2)
        self.assertEqual((await self.async_client.get("/count/")).content, b"1")

    async def test_one(self):
        await self.meet()

    async def test_two(self):
        await self.meet()


class ThreadTests(SimpleTestCase):
    databases = ALLOWED

    def meet(self):
        found = []

        def add():
            found.append(caches["default"].add("thread", 1))
            connections.close_all()

        thread = threading.Thread(target=add)
        thread.start()
        thread.join()
        self.assertEqual(found, [True])
        self.assertEqual(cache.get("thread"), 1)

    def test_one(self):
        self.meet()

    def test_two(self):
        self.meet()


class OverriddenTests(SimpleTestCase):
    databases = ALLOWED

    def meet(self):
        with override_settings(CACHES=OTHER):
            self.assertTrue(cache.add("overridden", 1))

    def test_one(self):
        self.meet()

    def test_two(self):
        self.meet()


@override_settings(CACHES=OTHER)
class OverriddenClassTests(SimpleTestCase):
    databases = ALLOWED

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        store("class")

    def test_one(self):
        change("class")

    def test_two(self):
        clear("class")
