"""pytest's part of prepared processes: one a test process, at the first use."""

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.prepared.cloning import is_possible
from tests.prepared.commands import HASH_SEED
from tests.prepared.spare import Spare
from tests.prepared.starting import fork_exec, install

MARK = "fresh_interpreter(why): what the test starts gets an interpreter of its own"
PATIENCE = 120
OF_THIS_RUN = ("CI_CACHE_ISOLATION", "DJANGO_", "GITHUB_", "PYTEST_")


class Prepared:
    """The spare of this test process, and whether the test at hand wants it."""

    def __init__(self):
        # Only inside of tests: workers of xdist are no business of theirs.
        self.is_wanted = False
        self._owner = os.getpid()
        self._spare = None
        self._lock = threading.Lock()
        install(self, lambda: self.is_wanted)

    def is_ours(self):
        return os.getpid() == self._owner

    def start(self, command, files):
        with self._lock:
            if self._spare is None:
                self._spare = _prepared()
        return self._spare.start(command, files)

    def end(self):
        self.is_wanted = False
        subprocess._fork_exec = fork_exec
        if self._spare is not None:
            self._spare.dismiss()


def _prepared():
    ours, others = socket.socketpair()
    ours.settimeout(PATIENCE)
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(OF_THIS_RUN)
    }
    program = Path(__file__).with_name("process.py")
    process = subprocess.Popen(
        # With an option it is one that gets an interpreter.
        [sys.executable, "-s", program, str(others.fileno())],
        env=environment | {"PYTHONHASHSEED": HASH_SEED},
        pass_fds=[others.fileno()],
        stdin=subprocess.DEVNULL,
    )
    others.close()
    if ours.recv(1) != b"+":
        raise ChildProcessError("The prepared process did not start; see above why.")
    # It is dismissed by its id; a Popen that is forgotten would warn.
    process.returncode = 0
    return Spare(ours, process.pid)


KEY = pytest.StashKey[Prepared]()


def pytest_addoption(parser):
    parser.addoption(
        "--fresh",
        action="store_true",
        help="start a fresh interpreter for every process, none that is prepared",
    )


def pytest_configure(config):
    config.addinivalue_line("markers", MARK)
    if is_possible() and not config.getoption("--fresh"):
        config.stash[KEY] = prepared = Prepared()
        config.add_cleanup(prepared.end)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    prepared = item.config.stash.get(KEY, None)
    if prepared is None:
        return (yield)
    prepared.is_wanted = item.get_closest_marker("fresh_interpreter") is None
    try:
        return (yield)
    finally:
        prepared.is_wanted = False
