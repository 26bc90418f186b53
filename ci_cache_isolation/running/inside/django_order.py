"""The user's own test runner, in an order of our choosing: for ``--testrunner``."""

from __future__ import annotations

import copy
import os
import unittest
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.test.runner import reorder_tests
from django.test.utils import (  # type: ignore[attr-defined]
    get_runner,
    iter_test_cases,
)

from ci_cache_isolation.isolation.django_runner import IsolationMixin
from ci_cache_isolation.running.events import WHOLE_VARIABLE, EventFile
from ci_cache_isolation.running.inside.django_tests import described, not_loaded
from ci_cache_isolation.running.inside.django_workers import recorded
from ci_cache_isolation.running.inside.imposed import (
    exactly,
    in_order,
    settings_module,
    shared_between_runs,
)
from ci_cache_isolation.running.inside.unittest_events import tell_of

__all__ = ["OrderedRunner", "ordered_runner"]


class OrderingMixin:
    """Puts a runner's tests in order and tells what becomes of them.

    Django's own grouping comes after: it keeps classes together, and TestCase before
    the rest, as in every run of the user's.
    """

    test_suite: Any
    parallel_test_suite: Any
    reorder_by: Any

    def build_suite(self, *args: Any, **kwargs: Any) -> Any:
        """Build the suite in the imposed order, and tell which tests there are."""
        suite_class, events = self.test_suite, EventFile()
        self.parallel_test_suite = recorded(self.parallel_test_suite)
        built: list[unittest.TestCase] = []

        def ordered_suite(tests: Iterable[unittest.TestCase]) -> Any:
            built[:] = self._ordered(tests)
            return suite_class(built)

        self.test_suite = ordered_suite
        try:
            suite = super().build_suite(*args, **kwargs)  # type: ignore[misc]
        finally:
            self.test_suite = suite_class
        if not built and isinstance(suite, unittest.TestSuite):
            # A runner that builds its suite in a way of its own.
            suite = ordered_suite(iter_test_cases(suite))
        events.collected(
            described(built, self._kinds),
            settings=settings_module(),
            shared=shared_between_runs(),
        )
        reasons = not_loaded(built) if os.environ.get(WHOLE_VARIABLE) else {}
        if reasons:
            events.not_loaded(reasons)
            events.close()
            # No database is made, and no test is run.
            raise SystemExit(1)
        run = suite.run

        def told_run(result: unittest.TestResult, *args: Any) -> Any:
            tell_of(result, built, events)
            outcome = run(result, *args)
            events.finished()
            return outcome

        suite.run = told_run
        return suite

    def _ordered(self, tests: Iterable[unittest.TestCase]) -> list[unittest.TestCase]:
        found = list(tests)
        exact = exactly(found, _id, lambda test: [copy.copy(test)])
        if exact is not None:
            return exact
        return list(reorder_tests(in_order(found, _id), self._kinds))

    @property
    def _kinds(self) -> tuple[type, ...]:
        return (unittest.loader._FailedTest, *self.reorder_by)  # type: ignore[attr-defined]  # noqa: SLF001


def _id(test: unittest.TestCase) -> str:
    return test.id()


def ordered_runner(user_runner: Any) -> Any:
    """Return a class that runs in our order what the user's runner runs."""
    bases = (
        (OrderingMixin, user_runner)
        if issubclass(user_runner, IsolationMixin)
        else (OrderingMixin, IsolationMixin, user_runner)
    )
    return type("OrderedRunner", bases, {"__module__": __name__})


OrderedRunner: Any = ordered_runner(get_runner(settings))
