"""The user's own test runner as a server of forks: for ``--testrunner``."""

from __future__ import annotations

import copy
import os
import unittest
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.test.runner import DiscoverRunner
from django.test.utils import (  # type: ignore[attr-defined]
    get_runner,
    iter_test_cases,
)

from ci_cache_isolation.isolation import switch
from ci_cache_isolation.isolation.django_runner import IsolatedRunner, IsolationMixin
from ci_cache_isolation.running.events import Events
from ci_cache_isolation.running.inside.child import Suite
from ci_cache_isolation.running.inside.databases import watch_set_up
from ci_cache_isolation.running.inside.django_tests import described, not_loaded
from ci_cache_isolation.running.inside.serving import refuse, serve
from ci_cache_isolation.running.inside.unittest_events import QuietResult, tell_of
from ci_cache_isolation.running.jobs import FOLDER_VARIABLE

__all__ = ["ForkingRunner", "forking_runner", "run_in_order"]


class ForkingMixin:
    """Sets up as ever, and in place of running the suite serves parts of it."""

    isolating: Sequence[str] | None
    remark = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The clones that its workers would have are not those of forks.
        self.parallel = 1
        # Only pytest's tests share a folder; a client that is killed can't remove it.
        with suppress(OSError):
            Path(os.environ.pop(FOLDER_VARIABLE)).rmdir()
        watch_set_up()

    def run_suite(self, suite: Any, **_: Any) -> unittest.TestResult:
        """Serve the tests by id, if all of them could be loaded."""
        tests: dict[str, unittest.TestCase] = {}
        for test in iter_test_cases(suite):
            if not isinstance(test, unittest.loader._FailedTest):  # type: ignore[attr-defined]  # noqa: SLF001
                tests.setdefault(test.id(), test)
        if reasons := not_loaded(iter_test_cases(suite)):
            refuse("tests can't be loaded", reasons)
        else:
            databases = self.get_databases(suite)  # type: ignore[attr-defined]
            known = described(tests.values(), self.reorder_by)  # type: ignore[attr-defined]
            made = Suite(
                tests,
                run_in_order,
                nullcontext,
                known,
                isolating=self.isolating,
                remark=self.remark,
            )
            serve(made, databases)
        return unittest.TestResult()


def run_in_order(tests: Sequence[unittest.TestCase], events: Events) -> None:
    """Run tests in exactly this order, with the fixtures of classes and modules."""
    # One that is run twice must not find what Django keeps on it: setUpTestData's.
    order = [copy.copy(test) for test in tests]
    result = QuietResult()
    tell_of(result, tests, events)
    unittest.TestSuite(order).run(result)


def forking_runner(user_runner: Any) -> Any:
    """Return a class that serves in forks what the user's runner would run."""
    isolating: Sequence[str] | None = None
    if issubclass(user_runner, IsolationMixin) or switch.is_installed():
        isolating = ()
    elif user_runner is DiscoverRunner:
        isolating = (
            "--testrunner",
            f"{IsolatedRunner.__module__}.{IsolatedRunner.__qualname__}",
        )
    bases = (
        (ForkingMixin, user_runner)
        if issubclass(user_runner, IsolationMixin)
        else (ForkingMixin, IsolationMixin, user_runner)
    )
    return type(
        "ForkingRunner", bases, {"__module__": __name__, "isolating": isolating}
    )


ForkingRunner: Any = forking_runner(get_runner(settings))
