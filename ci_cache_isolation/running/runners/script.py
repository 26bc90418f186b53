"""A script that makes Django's test runner itself, as many packages' runtests.py do.

Its settings may be no module: it calls ``settings.configure()``. It is run as it is,
and the runner that it makes is replaced by ours (running/inside/script.py).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from ci_cache_isolation.running.runners.base import Runner
from ci_cache_isolation.running.runners.configuration import named_in, text_of
from ci_cache_isolation.running.runners.django import failed_in

__all__ = ["ScriptRunner"]

_NAMES = (
    *("runtests.py", "run_tests.py", "runtest.py", "test.py", "quicktest.py"),
    *("tests/runtests.py", "tests/run_tests.py", "test/runtests.py"),
)
_RUNS_TESTS = re.compile(
    r"\b(?:DiscoverRunner|get_runner|execute_from_command_line)\b"
    r"|\bcall_command\(\s*['\"]test['\"]"
)
_INSIDE = "ci_cache_isolation.running.inside.script"


class ScriptRunner(Runner):
    """``python runtests.py``, for projects without manage.py or pytest."""

    name = "script"

    @classmethod
    def fits(cls, folder: Path) -> bool:
        """Return whether there is a script that runs Django's tests."""
        return bool(_script(folder))

    @property
    def title(self) -> str:
        """The script: nobody has called it a runner."""
        return self.script

    @property
    def script(self) -> str:
        """The script's path, seen from the folder."""
        return _script(self.folder)

    def settings(self) -> str:
        """Return those that the script puts into the environment, if it does."""
        return named_in(self.folder / self.script)

    def missing(self) -> str:
        """Return the script, if there is none."""
        return "" if self.script else "a script that runs the tests"

    def own_command(self, labels: Sequence[str]) -> list[str]:
        """Return ``python runtests.py LABELS``."""
        return [sys.executable, self.script, *labels]

    def command(self, labels: Sequence[str], processes: int) -> list[str]:  # noqa: ARG002
        """Return the script with our ordering in it; it is never split over workers."""
        return [sys.executable, "-m", _INSIDE, "ordered", self.script, *labels]

    def fork_command(self, labels: Sequence[str]) -> list[str]:
        """Return the script whose test runner is a server of forks."""
        return [sys.executable, "-m", _INSIDE, "forking", self.script, *labels]

    def replay_command(self, tests: Sequence[str], labels: Sequence[str]) -> list[str]:  # noqa: ARG002
        """Return nothing: a script need not take the names of tests."""
        return []

    def failed_in(self, printed: str) -> list[str]:
        """Look for unittest's headings."""
        return failed_in(printed)

    def why_no_split(self) -> str:
        """Return that a script's workers are its own affair."""
        return f"{self.script} decides itself how many workers it has"


def _script(folder: Path) -> str:
    for name in _NAMES:
        if _RUNS_TESTS.search(text_of(folder / name)):
            return name
    return ""
