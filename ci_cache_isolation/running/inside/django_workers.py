"""Django's parallel workers: which of them ran which test, and in which sequence.

Their results reach the parent only when a whole class is done, and say nothing of it.
"""

from __future__ import annotations

import os
import unittest
from typing import Any

from django.test.runner import RemoteTestRunner

from ci_cache_isolation.running.events import EventFile

__all__ = ["RecordingRunner", "recorded"]


class RecordingRunner(RemoteTestRunner):
    """Runs a class in a worker. It is pickled by its name, so it stands up here."""

    def run(self, test: Any) -> Any:
        """Run it, and note each test that starts."""
        events, result_class = EventFile(), self.resultclass

        def made() -> Any:
            result: Any = result_class()
            start = result.startTest

            def starting(each: unittest.TestCase) -> None:
                events.ran_in(str(os.getpid()), each.id())
                start(each)

            result.startTest = starting
            return result

        self.resultclass = made
        try:
            return super().run(test)
        finally:
            self.resultclass = result_class
            events.close()


def recorded(suite_class: Any) -> Any:
    """Return a suite that notes it, if its workers run tests in Django's own way."""
    if suite_class.runner_class is not RemoteTestRunner:
        return suite_class
    return type(suite_class.__name__, (suite_class,), {"runner_class": RecordingRunner})
