"""Keeps a mutant from harming others: every process in a slot imports it.

A changed number or condition may choose any process for a signal. Those older than the
run are refused here as the system refuses another user's; where there is no /proc none
is. A loop without an end may fill all memory, so there is a limit.
"""

import functools
import os
import resource
from contextlib import suppress
from pathlib import Path

from mutants_place import SINCE

MEMORY = 2 << 30
"""Bytes that a process may have."""


def is_older(pid):
    """Return whether a process was there before the run began, in clock ticks."""
    with suppress(OSError, ValueError):
        started = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
        return int(started) < int(Path(SINCE).read_text())
    return False


def guarded(send):
    @functools.wraps(send)
    def sent(pid, number, /):
        if number and (pid in {-1, 1} or is_older(abs(pid))):
            raise PermissionError(1, "Operation not permitted")
        send(pid, number)

    return sent


os.kill = guarded(os.kill)
if hasattr(os, "killpg"):
    os.killpg = guarded(os.killpg)
_, most = resource.getrlimit(resource.RLIMIT_DATA)
if most == resource.RLIM_INFINITY or most > MEMORY:
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, most))
