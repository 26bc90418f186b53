"""A worker process that measures when it is asked to, and is idle otherwise."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from bench.task import Task

__all__ = ["Contestant", "WorkerDiedError", "environment"]

ROOT = Path(__file__).parent.parent
PATIENCE = 10


class WorkerDiedError(Exception):
    """A worker ended before it had answered."""


def environment(hash_seed: int) -> dict[str, str]:
    """Return this process's environment, without what would steer the contestants."""
    kept = {
        name: value
        for name, value in os.environ.items()
        # Modules are compiled once, as they are for users.
        if not name.startswith(
            ("CI_CACHE_ISOLATION", "PYTEST_", "DJANGO_", "PYTHONDONTWRITEBYTECODE")
        )
    }
    # The same for all that are compared: it decides how dictionaries are laid out.
    return {**kept, "PYTHONHASHSEED": str(hash_seed), "PYTHONPATH": str(ROOT)}


class Contestant:
    """The handle on a worker; as a context manager it ends the worker."""

    def __init__(self, task: Task, hash_seed: int) -> None:
        self._errors = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - closed in __exit__
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.inside", task.to_json()],
            env=environment(hash_seed),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            encoding="utf-8",
        )
        # Set up in parallel: the first answer is waited for when it is needed.
        self._greeting: dict[str, Any] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()

    @property
    def has_section(self) -> bool:
        """Whether the worker's tests have a section of the cache."""
        if self._greeting is None:
            self._greeting = self._answer()
        return bool(self._greeting["section"])

    def seconds(self, case: str, loops: int = 1) -> float:
        """Measure a case; return the seconds for one unit of it."""
        assert self._process.stdin is not None
        _ = self.has_section
        request = json.dumps({"case": case, "loops": loops})
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(f"{request}\n")
            self._process.stdin.flush()
        return float(self._answer()["seconds"])

    def asking(self, case: str, loops: int = 1) -> Callable[[], float]:
        """Return `seconds` for one case, to be called in every round."""
        return lambda: self.seconds(case, loops)

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._errors.seek(0)
            raise WorkerDiedError(self._errors.read()[-3000:])
        answer: dict[str, Any] = json.loads(line)
        return answer
