"""A command with all that it starts, which ends when it does."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event

__all__ = ["TIMED_OUT", "Stopped", "run", "ticks"]

TIMED_OUT = "timed out"
INTERVAL = 0.2
PROCESSES = Path("/proc")


class Stopped(Exception):  # noqa: N818 - no error
    """Somebody interrupts the whole."""


def run(  # noqa: PLR0913
    command: Sequence[str | Path],
    folder: Path,
    environment: Mapping[str, str],
    log: Path,
    *,
    home: Path,
    seconds: float | None = None,
    stop: Event,
) -> int | str:
    """Return the exit code of a command, or `TIMED_OUT`.

    ``home`` is a folder that nothing else knows: processes that name it on their
    command line or in their environment are the command's, and don't outlive it.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    end = None if seconds is None else time.monotonic() + seconds
    try:
        while True:
            with suppress(subprocess.TimeoutExpired):
                return process.wait(INTERVAL)
            if stop.is_set():
                raise Stopped
            if end is not None and time.monotonic() > end:
                return TIMED_OUT
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        for pid in _at_home(os.fsencode(home)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def ticks() -> int | None:
    """Return the time as /proc gives that of a process's start, if there is any."""
    with suppress(OSError):
        seconds = float((PROCESSES / "uptime").read_text().split()[0])
        return int(seconds * os.sysconf("SC_CLK_TCK"))
    return None


def _at_home(home: bytes) -> Iterator[int]:
    for path in PROCESSES.glob("[0-9]*"):
        with suppress(OSError):
            if path.stat().st_uid == os.getuid() and any(
                home in (path / name).read_bytes() for name in ("cmdline", "environ")
            ):
                yield int(path.name)
