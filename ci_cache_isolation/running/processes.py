"""Commands run to their end, with a time limit, each with all that it starts."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from ci_cache_isolation.isolation.process import new_lock

__all__ = ["Processes"]

TIMED_OUT = 124
"""The exit code that stands for a command whose time was over, as timeout(1) has it."""


_PATIENCE = 5.0


class Processes:
    """What was started here and still runs; several threads may run commands."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = new_lock(self, "_lock")
        self.has_ended = False

    def run(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        log: Path,
        *,
        seconds: float | None = None,
    ) -> int:
        """Run a command, its output into a file; return its exit code.

        A command whose time is over, or that an interrupt meets, is interrupted with
        all that it has started, and killed if it doesn't listen.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output, self._lock:
            if self.has_ended:
                return TIMED_OUT
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self._running.add(process)
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            return TIMED_OUT
        finally:
            self._kill(process)

    def end(self) -> None:
        """Kill all that runs, and start nothing more."""
        with self._lock:
            self.has_ended = True
            running = list(self._running)
        for process in running:
            self._kill(process)

    def _kill(self, process: subprocess.Popen[bytes]) -> None:
        """Interrupt it, for its databases to be taken down; then it had its time."""
        for number, patience in ((signal.SIGINT, _PATIENCE), (signal.SIGKILL, None)):
            if process.poll() is not None:
                break
            with suppress(ProcessLookupError, subprocess.TimeoutExpired):
                os.killpg(process.pid, number)
                process.wait(patience)
        with self._lock:
            self._running.discard(process)
