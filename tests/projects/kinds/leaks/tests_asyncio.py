"""asyncio's own base class, apart: Django's parallel runner can't send it to a worker.

"cannot pickle '_contextvars.Context' object", with isolation and without.
"""

import asyncio
import unittest

from asgiref.sync import sync_to_async
from django.core.cache import cache
from django.db import connections
from kinds.stores import HAS_ASYNC


@unittest.skipUnless(HAS_ASYNC, "django-valkey has other backends for it")
class AsyncPlainTests(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.assertFalse(await cache.ahas_key("set-up"))
        await cache.aset("set-up", 1)

    async def asyncTearDown(self):
        # In the thread that does what is not asynchronous.
        await sync_to_async(connections.close_all)()

    async def test_one(self):
        await asyncio.gather(cache.aset("one", 1), cache.aset("set-up", 2))

    async def test_two(self):
        self.assertEqual(await cache.aget("set-up"), 1)
        self.assertIsNone(await cache.aget("one"))
