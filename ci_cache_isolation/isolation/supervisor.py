"""A program: run a server for as long as the process that asked for it lives.

    python -I -S supervisor.py DIRECTORY COMMAND…

Its standard input is a pipe whose other end only the owner holds: it ends when the
owner is gone, however that came about. Then, or when it is terminated, the server is
killed and DIRECTORY removed. Being the server's parent it never kills a stranger that
got the server's process id. It imports little: it starts for every process of a run.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence

__all__ = ["supervise"]


def supervise(
    directory: str, command: Sequence[str], lifeline: int = 0, report: int = 1
) -> None:
    """Run a command until it ends or a pipe does; write its process id to another.

    The command holds the other pipe too, so that its end tells of the command's end.
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
                    target=_kill_at_end_of, args=(lifeline, server), daemon=True
                ).start()
                os.write(report, b"%d\n" % server.pid)
                os.close(report)
                os.close(held)
                server.wait()
            finally:
                server.kill()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _kill_at_end_of(pipe: int, server: subprocess.Popen[bytes]) -> None:
    # Not sys.stdin: its lock, held by a daemon thread, is fatal when Python ends.
    while os.read(pipe, 1):
        pass
    server.kill()


def _end(*_: object) -> None:
    # Told twice it must not stop in the middle of removing the directory.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit()


if __name__ == "__main__":
    # From the owner's stop(), or a cancelled job, which tells every process to end.
    signal.signal(signal.SIGTERM, _end)
    supervise(sys.argv[1], sys.argv[2:])
