"""Runs that are killed at any moment, on a store that others use as well.

A seed decides who is killed when; how far a process has come by then it does not.
"""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.conftest import OF_THIS_RUN
from tests.neighbours import RUN
from tests.stores import DATABASES

SUITE = """
    import os
    import pathlib
    import time
    from django.conf import settings
    from django.core.cache import caches
    from django.test import SimpleTestCase

    FOLDER = os.environ.get("WORKING")

    def setUpModule():
        # pytest-django lets no module query.
        if "Database" not in settings.CACHES["second"]["BACKEND"]:
            caches["second"].set("of-the-module", 1)

    def work(cache, number):
        assert cache.get("theirs") is None
        cache.set("theirs", number)
        cache.set("forever", number, None)
        cache.set_many({f"many-{each}": each for each in range(10)})
        assert cache.incr("many-1") == 2
        assert cache.add("added", 1)
        cache.delete_many(["many-2", "*"])
        # With it goes what other aliases have on the same server.
        cache.clear()
        assert cache.get("theirs") is None
        cache.set("left", number)

    def meet(folder):
        # Wait for the other workers: each has a database of its own to tidy.
        (folder / str(os.getpid())).touch()
        deadline = time.monotonic() + 60
        while len([*folder.iterdir()]) < int(os.environ["WORKERS"]):
            assert time.monotonic() < deadline
            time.sleep(0.01)

    class Base:
        databases = {"default"}

        @classmethod
        def setUpClass(cls):
            super().setUpClass()
            for alias in caches:
                caches[alias].set("of-the-class", 1)
            if folder := os.environ.get("MEET"):
                meet(pathlib.Path(folder))

        def work(self):
            if FOLDER:
                (pathlib.Path(FOLDER) / str(os.getpid())).touch()
            for alias in caches:
                assert caches[alias].get("of-the-class") == 1
            for alias in caches:
                work(caches[alias], 1)
            if FOLDER:
                time.sleep(0.01)

    for number in range(25):
        setattr(Base, f"test_{number}", Base.work)

    class ATests(Base, SimpleTestCase): pass
    class BTests(Base, SimpleTestCase): pass
    class CTests(Base, SimpleTestCase): pass
    class DTests(Base, SimpleTestCase): pass
    """

RUNNERS = ["django", "pytest"]
WORKERS = 4
ROUNDS = 3
"""So many runs are killed before the next one has to find what they left."""


def suite_for(runner, store):
    """Return the suite, of tests that may query and whose rows are committed."""
    if runner == "pytest" and store in DATABASES:
        committing = SUITE.replace("SimpleTestCase", "TransactionTestCase")
        # Each of them flushes the database.
        return committing.replace("range(25)", "range(6)")
    return SUITE


class Kills:
    """A project, on which runs are killed until there were enough."""

    def __init__(self, shared, runner, store, seed):
        self.shared = shared
        self.project = shared.project
        self.is_database = store in DATABASES
        self.random = random.Random(f"{seed}-{runner}-{store}")
        self.command = self._command(runner)
        self.folder = self.project.path / "working"
        self.folder.mkdir(exist_ok=True)
        self.state = self.project.path / ".state"
        self.killed = 0

    def _command(self, runner):
        if runner == "django":
            options = ("--keepdb", "--noinput", f"--parallel={WORKERS}")
            return ("-m", "django", "test", *options)
        plugins = [f"-pno:{name}" for name in ("cacheprovider", "randomly", "asyncio")]
        # Workers of xdist have databases of their own names.
        workers = ["-pno:xdist"] if self.is_database else [f"-n{WORKERS}"]
        return ("-m", "pytest", "-q", "--reuse-db", *plugins, *workers, "test_suite.py")

    def until(self, number):
        """Kill so many processes; look each few runs for what is lost or left."""
        # The table and its clones are made by Django's own.
        done = self.shared.run(*RUN, str(WORKERS)) if self.is_database else self.run()
        assert done.returncode == 0, done.stdout + done.stderr
        self.shared.contents.fill()
        before = self.shared.contents.dump()
        self.shared.contents.begin_watching()
        while self.killed < number:
            for _ in range(ROUNDS):
                self.round()
            done = self.run_all_workers()
            assert done.returncode == 0, done.stdout + done.stderr
            assert self.shared.contents.forbidden() == []
            after = self.shared.contents.dump()
            lost, left = ({*a} - {*b} for a, b in ((before, after), (after, before)))
            assert not lost, f"lost: {lost}"
            assert not left, f"left: {left}"
            assert after == before
            assert list(self.state.glob("*")) == []
        return self.killed

    def run(self, **environment):
        return self.project.run(*self.command, PYTHONPATH=".", **environment)

    def run_all_workers(self):
        """Run the suite; no worker is left without a test where each has a database."""
        if not self.is_database or "--reuse-db" in self.command:
            return self.run()
        with tempfile.TemporaryDirectory() as folder:
            return self.run(MEET=folder, WORKERS=str(WORKERS))

    def round(self):
        """Kill a run at some moment; another one, at the same time, is not harmed."""
        if self.is_database:
            self.kill()
            return
        with self.started() as other:
            self.kill()
            assert other.wait(120) == 0

    def kill(self):
        for each in self.folder.iterdir():
            each.unlink()
        with self.started(WORKING=str(self.folder), own_session=True) as run:
            try:
                self.wait_for_workers(run)
                time.sleep(self.random.uniform(0, 0.6))
                # A quick run may have come to its end.
                workers = sorted(int(each.name) for each in self.folder.iterdir())
                self.random.shuffle(workers)
                for pid in workers[: self.random.randint(0, len(workers))]:
                    time.sleep(self.random.uniform(0, 0.05))
                    self.killed += self.end(pid)
            finally:
                left = [int(each.name) for each in self.folder.iterdir()]
                self.killed += sum(map(is_alive, left))
                with suppress(ProcessLookupError):
                    os.killpg(run.pid, signal.SIGKILL)

    def wait_for_workers(self, run):
        deadline = time.monotonic() + 60
        while not any(self.folder.iterdir()) and run.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def end(self, pid):
        if not is_alive(pid):
            return False
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        return True

    @contextmanager
    def started(self, *, own_session=False, **environment):
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(OF_THIS_RUN)
        }
        given = inherited | self.project.own | environment | {"PYTHONPATH": "."}
        with subprocess.Popen(
            [sys.executable, *self.command],
            cwd=self.project.path,
            env=given,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=own_session,
        ) as run:
            yield run


def is_alive(pid):
    """Return whether a process runs, and is one of ours and no zombie."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return text.rpartition(") ")[2][0] != "Z"
