"""Forks leave nothing anywhere, however the run ends."""

import os
import signal
import subprocess
import sys
import time

import pytest

from ci_cache_isolation.running.forks import ForkServerError
from tests.served import KINDS, eventually, forks_leave_nothing, in_session_of

pytestmark = pytest.mark.fresh_interpreter(
    "looks at a session's processes and what they have open; a spare is one too"
)


@pytest.fixture
def shared(served_on_servers):
    return served_on_servers


def listen_to_interrupts():
    signal.signal(signal.SIGINT, signal.default_int_handler)


# tests/exhaustive has the other runner.
@pytest.mark.parametrize("served", ["django"], indirect=True)
def test_some_forks_leave_nothing(shared):
    forks_leave_nothing(shared, 20)


@pytest.mark.parametrize(
    ("served", "ended_by"),
    [("django", signal.SIGINT), ("pytest", signal.SIGKILL)],
    indirect=["served"],
)
def test_a_client_that_is_ended_leaves_nothing(shared, tmp_path, ended_by):
    client_that_is_ended(shared, tmp_path, ended_by)


def client_that_is_ended(shared, tmp_path, ended_by):
    script = tmp_path / "client.py"
    script.write_text(
        "import os, sys\n"
        "from pathlib import Path\n"
        "from ci_cache_isolation.running.forks import ForkClient, Job\n"
        "from ci_cache_isolation.running.runners import runner_named\n"
        "runner, project, out, *tests = sys.argv[1:]\n"
        "with ForkClient(runner_named(runner, Path(project)), ['leaks'], Path(out),\n"
        "                processes=2, seconds=60) as server:\n"
        "    print(server.pid, flush=True)\n"
        "    jobs = (Job(tuple(tests)) for _ in range(1000))\n"
        "    for number, each in enumerate(server.run(jobs)):\n"
        "        print(number, flush=True)\n"
    )
    tests = [shared.id(f"leaks.{kind}.test_writes") for kind in KINDS]
    environment = shared.server(**shared.variables)._environment
    client = subprocess.Popen(
        [sys.executable, script, shared.runner, shared.project, shared.out, *tests],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # One that was started in the background ignores interrupts otherwise.
        preexec_fn=listen_to_interrupts,  # noqa: PLW1509
    )
    pid = int(client.stdout.readline())
    while client.stdout.readline() != "4\n":
        pass
    client.send_signal(ended_by)
    _, printed = client.communicate(timeout=60)
    assert ("KeyboardInterrupt" in printed) is (ended_by is signal.SIGINT)
    # What a killed one had started ends by itself.
    assert eventually(lambda: in_session_of(pid) == [])
    assert shared.left() == []
    assert shared.on_servers() == []


@pytest.mark.parametrize("served", ["pytest"], indirect=True)
def test_what_a_killed_server_leaves_is_gone_after_the_next_run(shared):
    killed_server(shared)


def killed_server(shared):
    hanging = shared.job("leaks.ServerTests.test_writes", "bad.BadTests.test_hangs")
    sound = [shared.job("leaks.ServerTests.test_writes")] * 4
    with shared.server(**shared.variables) as server:
        running = server.run([hanging, *sound])
        for _ in sound:
            next(running)
        deadline = time.monotonic() + 30
        while not shared.keys():
            assert time.monotonic() < deadline
        os.kill(server.pid, signal.SIGKILL)
        with pytest.raises(ForkServerError, match="SIGKILL"):
            next(running)
    assert eventually(lambda: in_session_of(server.pid) == [])
    assert shared.keys() != []
    with shared.server(**shared.variables) as server:
        assert [each.last for each in server.run(sound)] == ["passed"] * 4
    assert shared.on_servers() == []
    assert shared.left() == []
