"""Commands that are ended with all that they have started."""

import signal
import subprocess

from ci_cache_isolation.running.processes import Processes


class Started:
    """A process; ``dies_at`` is the signal that it ends by."""

    pid = 4711

    def __init__(self, dies_at):
        self.dies_at = dies_at
        self.code = None

    def poll(self):
        return self.code

    def wait(self, seconds):
        if self.code is None:
            raise subprocess.TimeoutExpired("command", seconds)


def ended(monkeypatch, process, *, is_gone=False):
    """End a process; return the signals that were sent to its group."""
    sent = []

    def killpg(pid, number):
        assert pid == process.pid
        sent.append(number)
        if number == process.dies_at:
            process.code = -number
        if is_gone:
            process.code = 0
            raise ProcessLookupError

    monkeypatch.setattr("os.killpg", killpg)
    processes = Processes()
    processes._running.add(process)
    processes.end()
    assert processes.has_ended
    assert not processes._running
    return sent


def test_one_that_listens_is_only_interrupted(monkeypatch):
    assert ended(monkeypatch, Started(signal.SIGINT)) == [signal.SIGINT]


def test_one_that_does_not_listen_is_killed(monkeypatch):
    sent = ended(monkeypatch, Started(signal.SIGKILL))
    assert sent == [signal.SIGINT, signal.SIGKILL]


def test_one_that_ends_by_itself_at_that_moment_is_no_error(monkeypatch):
    assert ended(monkeypatch, Started(None), is_gone=True) == [signal.SIGINT]
