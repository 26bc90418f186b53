"""The user's own test runner, in an order of our choosing: for ``--testrunner``."""

from __future__ import annotations

import copy
import os
import unittest
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.test.runner import reorder_tests
from django.test.utils import (  # type: ignore[attr-defined]
    get_runner,
    iter_test_cases,
)

from ci_cache_isolation.isolation.django_runner import IsolationMixin
from ci_cache_isolation.running.inside.django_tests import described, not_loaded
from ci_cache_isolation.running.inside.django_workers import recorded
from ci_cache_isolation.running.inside.imposed import (
    exactly,
    in_order,
    settings_module,
    shared_between_runs,
)
from ci_cache_isolation.running.outcomes import FAILED, PASSED, SKIPPED
from ci_cache_isolation.running.record import WHOLE_VARIABLE, Recorder

__all__ = ["OrderedRunner", "ordered_runner"]


class OrderingMixin:
    """Puts a runner's tests in order and records what becomes of them.

    Django's own grouping comes after: it keeps classes together, and TestCase before
    the rest, as in every run of the user's.
    """

    test_suite: Any
    parallel_test_suite: Any
    reorder_by: Any

    def build_suite(self, *args: Any, **kwargs: Any) -> Any:
        """Build the suite in the imposed order, and note which tests there are."""
        suite_class, recorder = self.test_suite, Recorder()
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
        recorder.collected(
            described(built, self._kinds),
            settings=settings_module(),
            shared=shared_between_runs(),
        )
        reasons = not_loaded(built) if os.environ.get(WHOLE_VARIABLE) else {}
        if reasons:
            recorder.not_loaded(reasons)
            recorder.close()
            # No database is made, and no test is run.
            raise SystemExit(1)
        run = suite.run

        def recorded_run(result: unittest.TestResult, *args: Any) -> Any:
            record_into(result, recorder)
            outcome = run(result, *args)
            recorder.finished()
            return outcome

        suite.run = recorded_run
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


def record_into(result: Any, recorder: Recorder) -> None:
    """Let a result object tell the recorder too; whatever class it is of."""

    def also(name: str, tell: Callable[..., None]) -> None:
        method = getattr(result, name)

        def both(*args: Any, **kwargs: Any) -> Any:
            tell(*args)
            return method(*args, **kwargs)

        setattr(result, name, both)

    def telling(outcome: str) -> Callable[..., None]:
        return lambda test, *_: recorder.outcome(test.id(), outcome)

    def sub_test(test: Any, _: Any, error: Any) -> None:
        if error is not None:
            recorder.outcome(test.id(), FAILED)

    also("startTest", lambda test: recorder.started(test.id()))
    also("stopTest", lambda test: recorder.ended(test.id()))
    also("addSuccess", telling(PASSED))
    also("addExpectedFailure", telling(PASSED))
    also("addSkip", telling(SKIPPED))
    also("addSubTest", sub_test)
    for name in ("addFailure", "addError", "addUnexpectedSuccess"):
        also(name, telling(FAILED))


def ordered_runner(user_runner: Any) -> Any:
    """Return a class that runs in our order what the user's runner runs."""
    bases = (
        (OrderingMixin, user_runner)
        if issubclass(user_runner, IsolationMixin)
        else (OrderingMixin, IsolationMixin, user_runner)
    )
    return type("OrderedRunner", bases, {"__module__": __name__})


OrderedRunner: Any = ordered_runner(get_runner(settings))
