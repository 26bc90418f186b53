"""The processes of a probe, as the one that leads them sees them."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from ci_cache_isolation.isolation.environment import ENABLED_VARIABLE
from ci_cache_isolation.isolation.inherited_sections import JOIN_VARIABLE
from ci_cache_isolation.isolation.switch import RUN_VARIABLE

__all__ = ["GoneError", "Process", "SlowError", "ToldError"]

_OF_A_RUN = (
    JOIN_VARIABLE,
    RUN_VARIABLE,
    "CI_CACHE_ISOLATION_AUDIT",
    "CI_CACHE_ISOLATION_FORK",
    "CI_CACHE_ISOLATION_ORDER",
    "CI_CACHE_ISOLATION_RECORD",
)
"""What begins so in the environment is meant for a run of tests."""
_PATIENCE = 10
"""For how many seconds a process may tidy up that was told to end."""


class ToldError(Exception):
    """A process could not do what it was told; this says why."""


class SlowError(ToldError):
    """A process does not answer."""


class GoneError(ToldError):
    """A process has ended by itself."""


class Process:
    """One of them. It is killed where it does not answer in time."""

    def __init__(
        self, command: Sequence[str], folder: str, name: str, *, is_isolated: bool
    ) -> None:
        inherited = {
            variable: value
            for variable, value in os.environ.items()
            if not variable.startswith(_OF_A_RUN)
        }
        self._errors = Path(folder) / f"{name}.stderr"
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                [*command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                encoding="utf-8",
                env=inherited | {ENABLED_VARIABLE: "on" if is_isolated else "off"},
            )
        self._answers: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()

    def tell(self, do: str, **how: Any) -> None:
        """Tell it what to do; it may take its time."""
        try:
            _pipe(self._process.stdin).write(json.dumps({"do": do, **how}) + "\n")
            _pipe(self._process.stdin).flush()
        except OSError:
            # What it has said is asked for anyway. What it was told would be sent once
            # more when the pipe is forgotten, and Python would complain then.
            with suppress(OSError):
                _pipe(self._process.stdin).close()

    def answer(self, limit: float) -> Any:
        """Return what it answers; `ToldError` for an error, or for none in time."""
        try:
            line = self._answers.get(timeout=limit)
        except queue.Empty:
            self.kill()
            raise SlowError(f"no answer within {limit:g} seconds") from None
        if not line:
            raise GoneError(f"the process ended: {self._last_words()}")
        said = json.loads(line)
        if "error" in said:
            raise ToldError(said["error"])
        return said["answer"]

    def ask(self, do: str, limit: float, **how: Any) -> Any:
        """Tell it what to do, and wait for its answer."""
        self.tell(do, **how)
        return self.answer(limit)

    def end(self) -> None:
        """Let it end as any process ends, with its exit handlers."""
        with suppress(OSError):
            # It may have ended, and never read what it was told.
            _pipe(self._process.stdin).close()
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait()

    def _listen(self) -> None:
        with _pipe(self._process.stdout) as said:
            for line in said:
                self._answers.put(line)
        self._answers.put("")

    def _last_words(self) -> str:
        lines = self._errors.read_text("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else f"exit code {self._process.wait()}"


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe
