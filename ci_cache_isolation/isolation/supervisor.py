"""A program: run a server for as long as the process that asked for it lives.

    python -I -S supervisor.py DIRECTORY COMMAND…

Its standard input is a pipe whose other end only the owner holds: it ends when the
owner is gone, however that came about. Then, or when it is terminated, the server is
killed and DIRECTORY removed. Being the server's parent it never kills another program
that got the server's process id. It imports little: each process of a run starts one.

A signal is one more pipe, and no exception: wherever that came up, in the removal of
DIRECTORY too, it would cut something off in the middle.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence

__all__ = ["supervise"]


def supervise(
    directory: str, command: Sequence[str], ends: Sequence[int] = (0,), report: int = 1
) -> None:
    """Run a command until it ends or a pipe does; write its process id to another.

    ``ends`` are pipes that nobody writes to as long as the command shall run. The
    command holds the pipe ``report`` too, so that its end tells of the command's end.
    """
    try:
        held = os.dup(report)
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr.fileno(),
            pass_fds=[held],
        ) as server:
            try:
                threading.Thread(
                    target=_kill_at_one_of, args=(ends, server), daemon=True
                ).start()
                os.write(report, b"%d\n" % server.pid)
                os.close(report)
                os.close(held)
                server.wait()
            finally:
                server.kill()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _kill_at_one_of(ends: Sequence[int], server: subprocess.Popen[bytes]) -> None:
    select.select(ends, (), ())
    server.kill()


def _pipe_of_signals() -> int:
    """Return a pipe that can be read when this process was told to end."""
    told, tell = os.pipe()
    os.set_blocking(tell, False)
    signal.set_wakeup_fd(tell)
    signal.signal(signal.SIGTERM, lambda *_: None)
    return told


if __name__ == "__main__":
    # From the owner's stop(), or a cancelled job, which tells every process to end.
    supervise(sys.argv[1], sys.argv[2:], ends=(0, _pipe_of_signals()))
