"""What Django's test runners are given: the entry point for ``manage.py test``."""

from __future__ import annotations

import unittest
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError
from django.test.runner import DiscoverRunner

from ci_cache_isolation.errors import IsolationError
from ci_cache_isolation.isolation.switch import install, start

__all__ = ["IsolatedRunner", "IsolatedTestSuite", "IsolationMixin"]


class IsolatedTestSuite(unittest.TestSuite):
    """A suite that switches isolation on in whatever process it runs in."""

    def run(self, result: unittest.TestResult, debug: bool = False) -> Any:  # noqa: FBT001, FBT002
        """Run the tests, each class and each test in sections of its own."""
        install()
        return super().run(result, debug)


if TYPE_CHECKING:
    _Runner = DiscoverRunner
else:
    _Runner = object


class IsolationMixin(_Runner):
    """Isolation for a test runner of your own; it stands before ``DiscoverRunner``."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        try:
            state = install()
            start(state)
        except IsolationError as error:
            raise CommandError(str(error)) from None
        if self.test_suite is unittest.TestSuite:
            self.test_suite = IsolatedTestSuite
        self.parallel_test_suite = _in_workers(self.parallel_test_suite)
        self.log(f"Cache isolation: {state}")


class IsolatedRunner(IsolationMixin, DiscoverRunner):
    """Django's test runner with isolated caches, for TEST_RUNNER."""

    # Where users name it, and so do printed commands.
    __module__ = "ci_cache_isolation.runner"


def _in_workers(suite_class: Any) -> Any:
    """Derive a parallel suite whose spawned workers switch isolation on.

    What the parent did is lost under spawn and forkserver. What arrives there is the
    function ``process_setup`` and its arguments, and it is called before all else.
    """
    original = suite_class.process_setup

    class ParallelTestSuite(suite_class):  # type: ignore[misc]
        process_setup = _process_setup
        process_setup_args = (original, *suite_class.process_setup_args)

    return ParallelTestSuite


def _process_setup(original: Callable[..., None], *args: Any) -> None:
    # At module level, because multiprocessing pickles it by name.
    original(*args)
    start(install())
