"""A fork as its parent sees it: what it has told, and what is made of its end."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress

from ci_cache_isolation.running.events import NO_EVENT, Told
from ci_cache_isolation.running.inside.databases import Slot
from ci_cache_isolation.running.jobs import NO_END, End, Forked, Job
from ci_cache_isolation.running.outcomes import FAILED

__all__ = ["Fork"]

_PIECE = 1 << 16


class Fork:
    """A fork that is running, and what it has told so far.

    ``pipes`` are the ends that this process has: of what it tells, and of what keeps it
    alive.
    """

    def __init__(
        self,
        number: int,
        job: Job,
        pid: int,
        pipes: tuple[int, int],
        slot: Slot | None,
    ) -> None:
        assert job.seconds is not None
        self.number = number
        self.job = job
        self.slot = slot
        self.pid = pid
        self.output, self.lifeline = pipes
        self.begun = time.monotonic()
        self.deadline = self.begun + job.seconds
        self.told = Told()
        self.is_stopped = False
        self._rest = b""

    def listen(self) -> None:
        """Take in what it has told."""
        with suppress(BlockingIOError):
            while piece := os.read(self.output, _PIECE):
                self._rest += piece
        *lines, self._rest = self._rest.split(b"\n")
        for line in lines:
            # A test may write anywhere.
            with suppress(*NO_EVENT):
                self.told.take(line)
        if self.slot is not None:
            for alias in self.told.changed:
                self.slot.note_change(alias)
            self.told.changed.clear()

    def kill(self) -> None:
        """End it, and whatever it has started in its group."""
        with suppress(OSError):
            os.killpg(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """Close this process's ends of its pipes."""
        os.close(self.output)
        os.close(self.lifeline)

    def result(self, status: int) -> Forked:
        """Return what became of the job."""
        told, last = self.told, self.job.tests[-1]
        end, message = End.FINISHED, told.messages.get(last, "")
        if not told.is_finished:
            end = End.TIMED_OUT if self.is_stopped else End.DIED
            # It may have ended in set-up of a class, or in tearing down.
            untold = [test for test in self.job.tests if test not in told.outcomes]
            culprit = told.running or next(iter(untold), last)
            message = told.broken_by or _cause(status)
            if self.is_stopped:
                message = f"{NO_END} {self.job.seconds:g} s"
            told.outcomes[culprit] = FAILED
            told.messages[culprit] = message
        return Forked(
            self.job,
            end,
            told.outcomes,
            round(time.monotonic() - self.begun, 6),
            message,
            told.messages,
            tuple(told.order),
        )


def _cause(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        return f"the process was killed by {signal.Signals(-code).name}"
    return f"the process ended with exit code {code}"
