"""A program: end what a process has started when that process is gone.

    python -I -S warden.py

Its standard input is a pipe whose other end only the owner holds: it ends when the
owner is gone, however that came about. Until then it is told, line by line, of groups
of processes that begin and end. It is a process of its own since the groups may hang
anywhere, and it imports little, since every command that runs tests starts one.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterable

__all__ = ["watch"]

_INTERVAL = 0.05


def watch(lines: Iterable[bytes]) -> None:
    """End the groups that are told of and not taken back when the lines end.

    ``+GROUP SECONDS SIGNAL``: it gets a signal, 0 for none, and so many seconds until
    it is killed. ``-GROUP``: it has ended by itself.
    """
    groups: dict[int, tuple[float, int]] = {}
    for line in lines:
        told, *rest = line[1:].split()
        if line.startswith(b"+"):
            groups[int(told)] = float(rest[0]), int(rest[1])
        else:
            groups.pop(int(told), None)
    begun = time.monotonic()
    for group, (_, number) in groups.items():
        _signalled(group, number)
    while groups:
        for group, (seconds, _) in list(groups.items()):
            if not _signalled(group, 0):
                del groups[group]
            elif time.monotonic() - begun > seconds:
                _signalled(group, signal.SIGKILL)
                del groups[group]
        time.sleep(_INTERVAL)


def _signalled(group: int, number: int) -> bool:
    """Return whether there was anybody to send a signal to."""
    try:
        os.killpg(group, number)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    watch(sys.stdin.buffer)
