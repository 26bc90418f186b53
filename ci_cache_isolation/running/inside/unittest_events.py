"""unittest's results, told as events: in cold processes and in forks alike."""

from __future__ import annotations

import unittest
from collections.abc import Callable, Sequence
from typing import Any

from ci_cache_isolation.running.events import Events
from ci_cache_isolation.running.outcomes import FAILED, PASSED, SKIPPED
from ci_cache_isolation.running.output import shown_error

__all__ = ["QuietResult", "tell_of"]


class QuietResult(unittest.TestResult):
    """Keeps nothing: to format a traceback takes longer than most tests."""

    def addError(self, *args: Any) -> None:  # noqa: D102, N802
        pass

    def addFailure(self, *args: Any) -> None:  # noqa: D102, N802
        pass

    def addExpectedFailure(self, *args: Any) -> None:  # noqa: D102, N802
        pass

    def addSubTest(self, *args: Any) -> None:  # noqa: D102, N802
        pass


def tell_of(
    result: unittest.TestResult, tests: Sequence[unittest.TestCase], events: Events
) -> None:
    """Let a result object tell what becomes of tests, whatever class it is of."""
    telling = _Telling(tests, events)

    def also(name: str, tell: Callable[..., None]) -> None:
        method = getattr(result, name)

        def both(*args: Any, **kwargs: Any) -> Any:
            tell(*args)
            return method(*args, **kwargs)

        setattr(result, name, both)

    also("startTest", lambda test: events.started(test.id()))
    also("stopTest", lambda test: events.ended(test.id()))
    also("addSuccess", lambda test: telling.tell(test, PASSED))
    also("addExpectedFailure", lambda test, _: telling.tell(test, PASSED))
    also("addSkip", lambda test, _: telling.tell(test, SKIPPED))
    also("addSubTest", telling.tell_sub_test)
    also("addFailure", telling.tell_error)
    also("addError", telling.tell_error)
    also(
        "addUnexpectedSuccess",
        lambda test: telling.tell(test, FAILED, "unexpected success"),
    )


class _Telling:
    """Tells outcomes by test, also those of what is set up and taken down for many."""

    def __init__(self, tests: Sequence[unittest.TestCase], events: Events) -> None:
        self._events = events
        self._waiting = [test.id() for test in tests]
        self._latest = ""

    def tell_error(self, test: Any, error: Any) -> None:
        self.tell(test, FAILED, shown_error(error[1]))

    def tell_sub_test(self, test: Any, _: Any, error: Any) -> None:
        if error is not None:
            self.tell_error(test, error)

    def tell(self, test: Any, outcome: str, message: str = "") -> None:
        name = test.id()
        if isinstance(test, unittest.TestCase):
            self._latest = name
            self._told(name, outcome, message)
        elif name.startswith("setUp"):
            # "setUpClass (module.Class)": none of the tests in there is going to run.
            inside = name.partition("(")[2].rstrip(")") + "."
            for each in [each for each in self._waiting if each.startswith(inside)]:
                self._told(each, outcome, message)
        elif outcome == FAILED:
            # Tearing down belongs to the test before it, as under pytest.
            self._told(self._latest, outcome, f"{name}: {message}")

    def _told(self, name: str, outcome: str, message: str) -> None:
        if name in self._waiting:
            self._waiting.remove(name)
        self._events.outcome(name, outcome, message)
