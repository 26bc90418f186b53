"""Caches that other processes use too; no tests where the environment names none.

Where two processes meet, each for a tenth of a second or two, these fail; alone, and
behind any other test of the same process, they pass.
"""

import time

from django.conf import settings
from django.core.cache import caches
from django.test import SimpleTestCase

MOMENT = 0.01


class Counting:
    """Two processes that run this at the same time count together."""

    def test_counts_to_ten(self):
        cache = caches[self.alias]
        cache.set("counted", 0)
        for _ in range(10):
            cache.incr("counted")
            time.sleep(MOMENT)
        self.assertEqual(cache.get("counted"), 10)


class Keeping:
    """Two processes that run this do not harm each other; one that clears does."""

    def test_keeps_its_place(self):
        cache = caches[self.alias]
        cache.set("place", "taken")
        for _ in range(20):
            time.sleep(MOMENT)
            self.assertEqual(cache.get("place"), "taken")


class Clearing:
    def test_clears_the_place(self):
        for _ in range(20):
            caches[self.alias].clear()
            time.sleep(MOMENT)
        self.assertIsNone(caches[self.alias].get("never stored"))


if "files-met" in settings.CACHES:

    class FilesClearingTests(Clearing, SimpleTestCase):
        alias = "files-met"

    class FilesCountingTests(Counting, SimpleTestCase):
        alias = "files-met"

    class FilesKeepingTests(Keeping, SimpleTestCase):
        alias = "files-met"


if "redis-met" in settings.CACHES:

    class RedisClearingTests(Clearing, SimpleTestCase):
        alias = "redis-met"

    class RedisCountingTests(Counting, SimpleTestCase):
        alias = "redis-met"

    class RedisKeepingTests(Keeping, SimpleTestCase):
        alias = "redis-met"

    class RedisTests(SimpleTestCase):
        """A leak within one process, as those in memory."""

        def test_desk_is_quiet(self):
            self.assertIsNone(caches["redis"].get("queue"))

        def test_people_queue(self):
            caches["redis"].set("queue", 12)
            self.assertEqual(caches["redis"].get("queue"), 12)

        def test_people_queue_no_more(self):
            caches["redis"].delete("queue")
            self.assertNotIn("queue", caches["redis"])
