"""Tests that spoil the process they run in."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from unittest import skip

from django.core.cache import caches
from django.test import SimpleTestCase


class BadTests(SimpleTestCase):
    def test_exits(self):
        caches["server"].set("left", 1)
        caches["files"].set("left", 1)
        os._exit(3)

    def test_hangs(self):
        caches["server"].set("left", 1)
        caches["files"].set("left", 1)
        time.sleep(600)

    def test_is_killed(self):
        os.kill(os.getpid(), signal.SIGSEGV)

    def test_closes_output(self):
        os.close(1)
        os.close(2)
        sys.stdout.close()

    def test_closes_everything(self):
        os.closerange(3, 4096)

    def test_prints_binary(self):
        os.write(1, bytes(range(256)))
        os.write(2, b'\n["finished"]\n\xff')

    def test_forks_and_goes_on(self):
        if os.fork():
            os.wait()

    def test_leaves_a_process(self):
        left = subprocess.Popen(["sleep", "600"])
        left.returncode = 0

    def test_leaves_by_an_exception(self):
        raise SystemExit

    @skip("on purpose")
    def test_skipped(self):
        pass

    def test_fails_in_a_sub_test(self):
        with self.subTest("one"):
            self.assertEqual(1, 2)

    def test_adds(self):
        self.assertTrue(caches["default"].add("added", 1))

    def test_sound(self):
        pass


class TestsAtOnce(SimpleTestCase):
    def test_meets(self):
        me = os.getpid()
        caches["server"].set("who", me)
        Path(f"here-{me}").touch()
        deadline = time.monotonic() + 30
        while len(list(Path().glob("here-*"))) < 2:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.005)
        self.assertEqual(caches["server"].get("who"), me)


class SetUpTests(SimpleTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        Path("of-class").mkdir()
        cls.addClassCleanup(Path("of-class").rmdir)

    def test_one(self):
        self.assertTrue(Path("of-class").exists())


class TornDownTests(SimpleTestCase):
    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        raise ValueError("tearing down")

    def test_one(self):
        pass


class NotSetUpTests(SimpleTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        raise ValueError("setting up")

    def test_one(self):
        pass

    def test_two(self):
        pass
