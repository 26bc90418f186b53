"""What is said of a process that forks and is not there any more."""

import socket
import subprocess
from types import SimpleNamespace

import pytest

from ci_cache_isolation.running.forks import ForkClient, ForkServerError


class Silent:
    """A process that closed its socket and does not end."""

    pid = 4711

    def wait(self, seconds):
        raise subprocess.TimeoutExpired("command", seconds)


def test_one_that_neither_answers_nor_ends_is_named_with_its_log(tmp_path):
    runner = SimpleNamespace(own_command=lambda labels: ["manage.py", "test", *labels])
    server = ForkClient(runner, ("app",), tmp_path, processes=1, seconds=1)
    server._socket, theirs = socket.socketpair()
    server._answers = server._socket.makefile("rb")
    server._process = Silent()
    theirs.close()
    with pytest.raises(ForkServerError, match="it says nothing any more") as raised:
        server._send(run=1)
    assert "manage.py test app" in str(raised.value)
