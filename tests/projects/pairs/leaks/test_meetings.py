"""Tests that wait for each other, in two processes, through a cache."""

import os
import time

from django.core.cache import caches
from django.test import SimpleTestCase


class Meeting:
    def meet(self, mine, theirs):
        caches[self.alias].set(mine, 1)
        deadline = time.monotonic() + float(os.environ.get("PAIRS_PATIENCE", "30"))
        while caches[self.alias].get(theirs) is None:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.005)

    def test_one(self):
        self.meet("one", "two")

    def test_two(self):
        self.meet("two", "one")

    def test_sees_nothing(self):
        for name in ("one", "two"):
            self.assertIsNone(caches[self.alias].get(name))

    def test_sees_them(self):
        for name in ("one", "two"):
            self.assertEqual(caches[self.alias].get(name), 1)

    def test_dies(self):
        caches[self.alias].set("three", 1)
        os._exit(1)

    def test_sees_what_set_up_stored(self):
        self.assertEqual(caches[self.alias].get("set-up"), 1)


class FileTests(Meeting, SimpleTestCase):
    alias = "files"


class ServerTests(Meeting, SimpleTestCase):
    alias = "server"


class MemoryTests(Meeting, SimpleTestCase):
    alias = "default"
