"""A process that dies with this one, also when this one is killed.

No signal and no exit handler can promise that, so a supervisor holds the other end of
a pipe of ours. It must be ours alone: started programs don't inherit it (PEP 446), and
forks close their copy, or a worker that outlives its parent would keep the server.
"""

from __future__ import annotations

import atexit
import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Sequence

from ci_cache_isolation.isolation import supervisor
from ci_cache_isolation.isolation.process import after_fork

__all__ = ["Supervised"]

_TAIL = 2000
"""Bytes of output that are worth showing."""


class Supervised:
    """A command that is running. ``pid`` is its process id, 0 if it did not start.

    ``directory`` is removed when the command ends, whatever ends it.
    """

    def __init__(self, command: Sequence[str], directory: str) -> None:
        # A file without a name: it can still be read when the directory is gone.
        self._output = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - kept open
        self._supervisor = subprocess.Popen(
            # No site and no environment variables for Python: it starts faster.
            [sys.executable, "-I", "-S", supervisor.__file__, directory, *command],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._output,
            # Ctrl-C is for the tests: what they do last may still need the server.
            start_new_session=True,
        )
        _alive.add(self)
        atexit.register(self.stop)
        assert self._supervisor.stdin is not None
        assert self._supervisor.stdout is not None
        self._lifeline = self._supervisor.stdin
        self._report = self._supervisor.stdout
        self.pid = int(self._report.readline() or 0)

    def has_ended(self, *, within: float = 0) -> bool:
        """Wait some seconds for the end of the command; say whether it came."""
        poll = select.poll()
        poll.register(self._report)
        return bool(poll.poll(within * 1000))

    def output(self) -> str:
        """Return the last that the command printed, to standard output and error."""
        number = self._output.fileno()
        # Not read(): the command writes where this file is at.
        tail = os.pread(number, _TAIL, max(os.fstat(number).st_size - _TAIL, 0))
        return tail.decode(errors="replace").strip()

    def stop(self) -> None:
        """End the command and remove its directory. In a fork this does nothing."""
        self._supervisor.terminate()
        self._supervisor.wait()
        self._let_go()
        _alive.discard(self)
        atexit.unregister(self.stop)

    def _let_go(self) -> None:
        self._lifeline.close()
        self._report.close()
        self._output.close()

    def _disown(self) -> None:
        self._let_go()
        # Popen then neither waits for the parent's child nor warns that it is running.
        self._supervisor.returncode = 0


_alive: set[Supervised] = set()


def _disown_all() -> None:
    while _alive:
        _alive.pop()._disown()  # noqa: SLF001


after_fork(_disown_all)
