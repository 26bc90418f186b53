"""What a command has started ends with it, also when it is killed."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.served import eventually, in_session_of

pytestmark = pytest.mark.fresh_interpreter("kills the process that has started others")

# Begins a command that runs for a minute, and says who that is once the one knows of it
# that ends it.
CLIENT = """
import sys, threading, time
from pathlib import Path
from ci_cache_isolation.running import processes

processes._PATIENCE = 1.0
tell = processes.Warden._tell

def telling(warden, line):
    tell(warden, line)
    if line.startswith(b"+"):
        print(warden._process.pid, int(line[1:].split()[0]), sep="\\n", flush=True)

processes.Warden._tell = telling
folder = Path(sys.argv[1])
command = [sys.executable, "-c", sys.argv[2]]
processes.Processes().run(command, {}, folder, folder / "log")
"""
LISTENING = "import time; time.sleep(60)"
DEAF = """
import signal, subprocess, sys, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
time.sleep(60)
"""
# A server of forks whose set-up never ends.
HANGING = """
import sys
from pathlib import Path
from ci_cache_isolation.running import forks
from ci_cache_isolation.running.runners.base import Runner

forks.PATIENCE = 1.0

class Hanging(Runner):
    name = "hanging"
    fits = classmethod(lambda *_: True)

    def fork_command(self, labels):
        print("0", flush=True)
        return [sys.executable, "-c",
                "import os; print(os.getpid(), flush=True); " + sys.argv[2]]

    own_command = command = replay_command = failed_in = None

Hanging.__abstractmethods__ = frozenset()
server = forks.ForkClient(
    Hanging(Path(sys.argv[1])), [], Path(sys.argv[1]), processes=1, seconds=60
)
with server:
    pass
"""


@pytest.fixture
def client(tmp_path):
    """Start one in a group of its own, and end whatever it may leave."""
    started = []

    def start(source, *arguments):
        process = subprocess.Popen(
            [sys.executable, "-c", source, tmp_path, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("command", [LISTENING, DEAF])
def test_a_command_does_not_outlive_who_has_started_it(client, command):
    running = client(CLIENT, command)
    warden, pid = (int(running.stdout.readline()) for _ in range(2))
    assert eventually(lambda: in_session_of(pid))
    os.killpg(running.pid, signal.SIGKILL)
    assert eventually(lambda: in_session_of(pid) == [])
    assert eventually(lambda: in_session_of(warden) == [])


def test_a_server_of_forks_that_hangs_does_not_outlive_its_client(client, tmp_path):
    running = client(HANGING, LISTENING)
    running.stdout.readline()
    log = tmp_path / "fork-server.log"
    assert eventually(lambda: log.exists() and log.read_text().endswith("\n"))
    pid = int(log.read_text())
    begun = time.monotonic()
    os.kill(running.pid, signal.SIGKILL)
    assert eventually(lambda: in_session_of(pid) == [])
    assert time.monotonic() - begun >= 1


def test_what_has_ended_is_not_signalled_and_the_warden_ends_too(client):
    running = client(CLIENT, "")
    warden, pid = (int(running.stdout.readline()) for _ in range(2))
    assert running.wait(30) == 0
    assert running.stderr.read() == ""
    assert in_session_of(warden) == in_session_of(pid) == []
