"""pytest's part of prepared processes: one a test process, at the first use."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.prepared.cloning import is_possible
from tests.prepared.commands import HASH_SEED
from tests.prepared.spare import Spare
from tests.prepared import starting

MARK = "fresh_interpreter(why): what tests start here gets an interpreter of its own"


class Prepared:
    """The spare of this test process, and whether the test at hand wants it."""

    def __init__(self, is_on):
        self.is_on = is_on
        # Only inside of tests: workers of xdist are no business of theirs.
        self.is_wanted = False
        self._spare = None

    def is_ours(self):
        return self.is_on and os.getpid() == self._owner

    def begin(self):
        self._owner = os.getpid()
        self._plain = subprocess._fork_exec
        starting.install(self, lambda: self.is_wanted)

    def start(self, command, files):
        if self._spare is None:
            self._spare = _prepared(self._plain)
        return self._spare.start(command, files)

    def end(self):
        subprocess._fork_exec = self._plain
        if self._spare is not None:
            self._spare.dismiss()


def _prepared(plain):
    ours, others = socket.socketpair()
    ours.settimeout(120)
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DJANGO_", "PYTEST_", "CI_CACHE_ISOLATION"))
    }
    wrapped, subprocess._fork_exec = subprocess._fork_exec, plain
    try:
        process = subprocess.Popen(
            [
                sys.executable,
                Path(__file__).with_name("process.py"),
                str(others.fileno()),
            ],
            env=environment | {"PYTHONHASHSEED": HASH_SEED},
            pass_fds=[others.fileno()],
            stdin=subprocess.DEVNULL,
        )
    finally:
        subprocess._fork_exec = wrapped
    others.close()
    if ours.recv(1) != b"+":
        raise ChildProcessError("the prepared process did not start")
    # It is dismissed by its id; a Popen that is forgotten would warn.
    process.returncode = 0
    return Spare(ours, process.pid)


def pytest_addoption(parser):
    parser.addoption(
        "--fresh",
        action="store_true",
        help="start a fresh interpreter for every process, none that is prepared",
    )


def pytest_configure(config):
    config.addinivalue_line("markers", MARK)
    prepared = Prepared(is_possible() and not config.getoption("--fresh"))
    config.stash[KEY] = prepared
    if prepared.is_on:
        prepared.begin()
        config.add_cleanup(prepared.end)


KEY = pytest.StashKey[Prepared]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    prepared = item.config.stash[KEY]
    is_fresh = item.get_closest_marker("fresh_interpreter") is not None
    prepared.is_wanted = prepared.is_on and not is_fresh
    try:
        return (yield)
    finally:
        prepared.is_wanted = False
