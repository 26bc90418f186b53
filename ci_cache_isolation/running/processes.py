"""Commands run to their end, with a time limit, each with all that it starts.

None of them outlives this process, also when that is killed.
"""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from ci_cache_isolation.isolation.process import after_fork, new_lock
from ci_cache_isolation.running import warden
from ci_cache_isolation.running.private_files import opened

__all__ = ["TIMED_OUT", "WARDEN", "Processes", "Warden"]

TIMED_OUT = 124
"""The exit code of a command whose time was over, as timeout(1) has it."""


_PATIENCE = 5.0


class Warden:
    """Has groups of processes end with this one, however that ends."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = new_lock(self, "_lock")
        after_fork(self._disown)

    def begin(self) -> None:
        """Start the program that watches; what can't be watched is run all the same."""
        with self._lock, suppress(OSError):
            if self._process is None:
                self._process = subprocess.Popen(
                    [sys.executable, "-I", "-S", warden.__file__],
                    bufsize=0,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    # It has to outlive what ends this process with all its group.
                    start_new_session=True,
                )
                atexit.register(self.end)

    @contextmanager
    def over(self, group: int, *, patience: float, number: int = 0) -> Iterator[None]:
        """Have a group end with this process: by a signal, and killed some time later.

        Without a signal it is expected to notice by itself.
        """
        self._tell(b"+%d %f %d\n" % (group, patience, number))
        try:
            yield
        finally:
            self._tell(b"-%d\n" % group)

    def end(self) -> None:
        """Let it go: nothing is running any more."""
        with self._lock:
            process, self._process = self._process, None
        atexit.unregister(self.end)
        if process is not None and process.stdin is not None:
            process.stdin.close()
            process.wait()

    def _tell(self, line: bytes) -> None:
        process = self._process
        if process is not None and process.stdin is not None:
            with suppress(OSError):
                process.stdin.write(line)

    def _disown(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.stdin is not None:
            process.stdin.close()
            # Popen then neither waits for the parent's child nor warns of it.
            process.returncode = 0


WARDEN = Warden()


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
        WARDEN.begin()
        with opened(log) as output, self._lock:
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
        with WARDEN.over(process.pid, patience=_PATIENCE, number=signal.SIGINT):
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
