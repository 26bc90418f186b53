"""asyncio's own base class, apart: Django's parallel runner can't send it to a worker.

"cannot pickle '_contextvars.Context' object", with isolation and without.
"""

import asyncio
import unittest

from django.core.cache import cache


class AsyncPlainTests(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.assertFalse(await cache.ahas_key("set-up"))
        await cache.aset("set-up", 1)

    async def test_one(self):
        await asyncio.gather(cache.aset("one", 1), cache.aset("set-up", 2))

    async def test_two(self):
        self.assertEqual(await cache.aget("set-up"), 1)
        self.assertIsNone(await cache.aget("one"))
