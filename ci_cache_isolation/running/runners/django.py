"""``manage.py test``, with the runner of the user's settings inside ours."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from ci_cache_isolation.running.runners.arguments import Options
from ci_cache_isolation.running.runners.base import Runner
from ci_cache_isolation.running.runners.configuration import (
    VARIABLE,
    named_in,
    text_of,
)

__all__ = ["MANAGE", "DjangoRunner", "failed_in"]

MANAGE = "manage.py"
_CALLS_DJANGO = re.compile(r"\b(?:execute_from_command_line|ManagementUtility)\b")

_HEADING = re.compile(r"^(?:FAIL|ERROR): \S+ \(([^()\s]+)\)", re.MULTILINE)
_TEST_RUNNER = "ci_cache_isolation.running.inside.django_order.OrderedRunner"
_FORKING_RUNNER = "ci_cache_isolation.running.inside.django_forks.ForkingRunner"
_OPTIONS = Options(
    valued={
        *("--settings", "--pythonpath", "--testrunner", "-v", "--verbosity", "-k"),
        *("-t", "--top-level-directory", "-p", "--pattern", "--tag", "--exclude-tag"),
    },
    # A few tests, in one process and in the sequence that is given.
    unwanted={"--parallel", "--shuffle", "-r", "--reverse"},
)


class DjangoRunner(Runner):
    """Django's own: through the project's manage.py, which may do things of its own."""

    name = "django"

    @classmethod
    def fits(cls, folder: Path) -> bool:
        """Return whether there is a manage.py, or settings to run without one."""
        return (folder / MANAGE).is_file() or bool(os.environ.get(VARIABLE))

    @property
    def has_manage(self) -> bool:
        """Whether there is a manage.py that calls Django. It may choose settings."""
        return bool(_CALLS_DJANGO.search(text_of(self.folder / MANAGE)))

    def settings(self) -> str:
        """Return those of the environment, or those that manage.py names."""
        return os.environ.get(VARIABLE, "") or named_in(self.folder / MANAGE)

    def own_command(self, labels: Sequence[str]) -> list[str]:
        """Return ``python manage.py test LABELS``."""
        has_file = (self.folder / MANAGE).is_file()
        start = [MANAGE] if has_file else ["-m", "django"]
        return [sys.executable, *start, "test", *labels]

    def replay_command(self, tests: Sequence[str], labels: Sequence[str]) -> list[str]:
        """Return ``python manage.py test OPTIONS TESTS``."""
        return self.own_command([*_OPTIONS.among(labels), *tests])

    def failed_in(self, printed: str) -> list[str]:
        """Look for unittest's headings: ``FAIL: test_one (app.Tests.test_one)``."""
        return failed_in(printed)

    def command(self, labels: Sequence[str], processes: int) -> list[str]:
        """Return ``python manage.py test --testrunner … LABELS``."""
        options = ["--no-input", "--testrunner", _TEST_RUNNER]
        if processes > 1:
            options += ["--parallel", str(processes)]
        return self.own_command([*options, *labels])

    def fork_command(self, labels: Sequence[str]) -> list[str]:
        """Return ``python manage.py test --testrunner … LABELS``, another runner."""
        options = ["--no-input", "--testrunner", _FORKING_RUNNER]
        return self.own_command([*options, *labels])


def failed_in(printed: str) -> list[str]:
    """Return the tests in unittest's headings of failures, in their sequence."""
    return list(dict.fromkeys(_HEADING.findall(printed)))
