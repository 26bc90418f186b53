"""A fork as its parent sees it: what it has told, and what is made of its end."""

from __future__ import annotations

import json
import os
import signal
import time
from contextlib import suppress
from typing import Any

from ci_cache_isolation.running.inside.databases import Slot
from ci_cache_isolation.running.jobs import NO_END, End
from ci_cache_isolation.running.outcomes import FAILED

__all__ = ["Fork"]

_PIECE = 1 << 16


class Fork:
    """A fork that is running, and what it has told so far."""

    def __init__(
        self,
        job: dict[str, Any],
        pid: int,
        output: int,
        line: int,
        slot: Slot | None = None,
    ) -> None:
        self.number: int = job["number"]
        self.tests: list[str] = job["tests"]
        self.slot = slot
        self.pid = pid
        self.output = output
        self.lifeline = line
        self.begun = time.monotonic()
        self.deadline = self.begun + job["seconds"]
        self.limit: float = job["seconds"]
        self.outcomes: dict[str, str] = {}
        self.messages: dict[str, str] = {}
        self.order: list[str] = []
        self.running: str | None = None
        self.running_since = self.begun
        self.broken_by = ""
        self.is_finished = False
        self.is_stopped = False
        self._told = b""

    def listen(self) -> None:
        """Take in what it has told."""
        with suppress(BlockingIOError):
            while piece := os.read(self.output, _PIECE):
                self._told += piece
        *lines, self._told = self._told.split(b"\n")
        for line in lines:
            # A test may write anywhere.
            with suppress(ValueError, TypeError):
                self._apply(*json.loads(line))

    def _apply(self, event: str, test: str = "", *rest: str) -> None:
        match event:
            case "started":
                self.running = test
                self.running_since = time.monotonic()
                self.order.append(test)
            case "outcome":
                outcome, message = rest
                if self.outcomes.get(test) != FAILED:
                    self.outcomes[test] = outcome
                    if outcome == FAILED:
                        self.messages[test] = message
            case "ended":
                self.running = None
            case "changed" if self.slot is not None:
                self.slot.note_change(test)
            case "broken":
                self.broken_by = test
            case "finished":
                self.is_finished = True

    def kill(self) -> None:
        """End it, and whatever it has started in its group."""
        with suppress(OSError):
            os.killpg(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """Close this process's ends of its pipes."""
        os.close(self.output)
        os.close(self.lifeline)

    def result(self, status: int) -> dict[str, Any]:
        """Return what the client is told."""
        end, last = End.FINISHED, self.tests[-1]
        message = self.messages.get(last, "")
        if not self.is_finished:
            end = End.TIMED_OUT if self.is_stopped else End.DIED
            # It may have ended in set-up of a class, or in tearing down.
            untold = [test for test in self.tests if test not in self.outcomes]
            culprit = self.running or next(iter(untold), last)
            message = self.broken_by or _cause(status)
            if self.is_stopped:
                message = f"{NO_END} {self.limit:g} s"
            self.outcomes[culprit] = FAILED
            self.messages[culprit] = message
        return {
            "number": self.number,
            "end": end,
            "outcomes": self.outcomes,
            "seconds": round(time.monotonic() - self.begun, 6),
            "message": message,
            "messages": self.messages,
            "order": self.order,
        }


def _cause(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        return f"the process was killed by {signal.Signals(-code).name}"
    return f"the process ended with exit code {code}"
