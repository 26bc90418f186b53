"""A second module, so that module set-up and workers have something to keep apart."""

import unittest

from django.core.cache import cache
from django.test import TestCase

from leaks.checks import meet, store


def setUpModule():
    assert cache.get("module") is None
    store("second-module")


class OtherModuleTests(TestCase):
    def test_one(self):
        meet(self.id())

    def test_two(self):
        meet(self.id())


class NestedRunTests(unittest.TestCase):
    """A test that runs a suite: the inner tests end, the outer one goes on."""

    class Inner(unittest.TestCase):
        def test_inner(self):
            assert cache.get("outer") == 1
            cache.set("outer", 2)
            cache.set("inner", 1)

    def run_inner(self):
        self.assertTrue(cache.add("outer", 1))
        suite = unittest.defaultTestLoader.loadTestsFromTestCase(self.Inner)
        result = suite.run(unittest.TestResult())
        self.assertEqual(result.errors + result.failures, [])
        self.assertEqual(cache.get_many(["outer", "inner"]), {"outer": 1})

    def test_one(self):
        self.run_inner()

    def test_two(self):
        self.run_inner()
