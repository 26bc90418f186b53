"""More tests that spoil the process they run in, in ways that are hard to tell."""

import faulthandler
import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
from django.test import SimpleTestCase, TestCase

from leaks.models import Note


class UnprintableError(Exception):
    def __str__(self):
        raise ValueError("not even that")


class WorseTests(SimpleTestCase):
    def test_exits_as_if_all_were_well(self):
        os._exit(0)

    def test_crashes(self):
        faulthandler.disable()
        faulthandler._sigsegv()

    def test_loops(self):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while True:
            pass

    def test_kills_its_group(self):
        os.killpg(0, signal.SIGKILL)

    def test_is_interrupted(self):
        raise KeyboardInterrupt

    def test_ends_the_session(self):
        pytest.exit("enough")

    def test_raises_what_cannot_be_pickled(self):
        class LocalError(Exception):
            pass

        raise LocalError(lambda: None, threading.Lock())

    def test_raises_what_cannot_be_printed(self):
        raise UnprintableError

    def test_raises_a_surrogate(self):
        raise ValueError("\udcff\x00")

    def test_starts_a_thread(self):
        threading.Thread(target=time.sleep, args=[600], daemon=True).start()

    def test_starts_a_thread_that_must_be_waited_for(self):
        threading.Thread(target=time.sleep, args=[600]).start()

    def test_handles_signals(self):
        for number in (signal.SIGCHLD, signal.SIGIO, signal.SIGALRM):
            signal.signal(number, lambda *_: None)
        signal.set_wakeup_fd(-1)
        if not os.fork():
            os._exit(0)
        os.wait()

    def test_moves_away(self):
        os.umask(0o777)
        os.chdir("/")

    def test_is_where_it_was(self):
        self.assertTrue(Path("manage.py").exists())

    def test_replaces_output(self):
        sys.stdout = sys.stderr = None

    def test_forks_and_fails_there(self):
        if os.fork():
            os.wait()
        else:
            self.fail("in the child")

    def test_fails(self):
        self.fail("one")

    def test_fails_too(self):
        self.fail("two")

    def test_sound(self):
        pass


class WithDataTests(TestCase):
    times = 0

    @classmethod
    def setUpTestData(cls):
        WithDataTests.times += 1
        cls.note = Note.objects.create(text=f"{cls.times}")

    def test_changes(self):
        self.note.text = "changed"
        self.note.save()
        Note.objects.create()

    def test_is_new(self):
        self.assertEqual(self.note.text, str(self.times))
        self.assertEqual(Note.objects.get().text, str(self.times))


def test_with_directory(tmp_path):
    (tmp_path / "mine").touch()
    me = os.getpid()
    Path(f"here-{me}").touch()
    deadline = time.monotonic() + 30
    while len(list(Path().glob("here-*"))) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    time.sleep(0.1)
    assert (tmp_path / "mine").exists()
