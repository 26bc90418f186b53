"""The process that waits to become a command, and how its owner asks it to."""

import atexit
import json
import os
import signal
import socket
import threading
from dataclasses import asdict

from tests.prepared.cloning import clone_sibling, die_with_parent
from tests.prepared.commands import Command

__all__ = ["Spare", "serve"]

_LENGTH = 8
_MOST_FILES = 250


class Spare:
    """A process in waiting, as its owner knows it: each call starts one command."""

    def __init__(self, channel, pid):
        self._channel = channel
        self._owner = os.getpid()
        self._pid = pid
        self._lock = threading.Lock()
        # A fork of its owner is not its parent, and must not keep it alive.
        os.register_at_fork(after_in_child=self._channel.close)

    def is_ours(self):
        """Return whether what it starts would be a child of this very process."""
        return os.getpid() == self._owner

    def start(self, command, files):
        """Start a command with copies of open files; return its process id."""
        text = json.dumps(asdict(command)).encode()
        with self._lock:
            length = len(text).to_bytes(_LENGTH, "big")
            socket.send_fds(self._channel, [length], files)
            self._channel.sendall(text)
            return int.from_bytes(_received(self._channel, _LENGTH), "big")

    def dismiss(self):
        """End it, unless this process is a fork of its owner."""
        if self.is_ours():
            self._channel.close()
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)


def serve(channel):
    """Wait for commands and have a copy of this process become each of them.

    Return in the copy only: its command, and a spare of its own if it is one that
    starts others. The process itself ends here, with its owner's end of the channel.
    The kernel can't be asked for that: it takes the thread that started the first one
    for its parent, and a thread may end.
    """
    # Ctrl-C is for the command; it has its own handler again.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        try:
            header, files, _, _ = socket.recv_fds(channel, _LENGTH, _MOST_FILES)
            header += _received(channel, _LENGTH - len(header))
            text = _received(channel, int.from_bytes(header, "big"))
        except OSError:
            os._exit(0)
        if clone_sibling():
            for file in files:
                os.close(file)
            continue
        command = Command(**json.loads(text))
        if command.has_session:
            os.setsid()
        if command.group >= 0:
            os.setpgid(0, command.group)
        # Not earlier: who has started a session may signal it at once.
        channel.sendall(os.getpid().to_bytes(_LENGTH, "big"))
        if not command.starts_others:
            os.close(channel.detach())
            _place(files, command.descriptors)
            return command, None
        # Before this process differs from the one that was prepared.
        own, others = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            for file in (*files, own.fileno(), channel.detach()):
                os.close(file)
            own.detach()
            channel = others
            die_with_parent()
            continue
        others.close()
        os.close(channel.detach())
        own = _place(files, command.descriptors, own)
        spare = Spare(own, pid)
        atexit.register(spare.dismiss)
        return command, spare


def _place(files, numbers, *sockets):
    """Give files their numbers, and return a socket where it is in nobody's way."""
    import fcntl  # noqa: PLC0415

    others = [each.detach() for each in sockets]
    above = max([*numbers, *files, *others, 99]) + 1
    moved = [fcntl.fcntl(each, fcntl.F_DUPFD_CLOEXEC, above) for each in files + others]
    for file in files + others:
        os.close(file)
    for file, number in zip(moved[: len(files)], numbers, strict=True):
        os.dup2(file, number, inheritable=True)
        os.close(file)
    return socket.socket(fileno=moved[-1]) if others else None


def _received(channel, length):
    found = b""
    while len(found) < length:
        piece = channel.recv(length - len(found))
        if not piece:
            raise ConnectionResetError
        found += piece
    return found
