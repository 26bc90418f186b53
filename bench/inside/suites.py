"""Suites of tests that touch no cache or store five entries, timed as a whole."""

from __future__ import annotations

import tempfile
import unittest
import uuid
from collections.abc import Callable
from time import perf_counter
from typing import Any

from django.conf import settings
from django.core.cache import cache, caches
from django.test import SimpleTestCase, TestCase, override_settings

from bench.inside.project import is_in_section, running
from bench.task import Task

__all__ = ["run"]

Case = list[type[unittest.TestCase]]

ENTRIES = 5
IN_FILES = "django.core.cache.backends.filebased.FileBasedCache"
IN_MEMORY = "django.core.cache.backends.locmem.LocMemCache"


def _classes(base: type, classes: int, tests: int, body: Any) -> Case:
    names = [f"test_{number:04}" for number in range(tests)]
    return [
        type(f"{base.__name__}{number}", (base,), dict.fromkeys(names, body))
        for number in range(classes)
    ]


def _nothing(_test: unittest.TestCase) -> None:
    """Touch no cache."""


def _store(_test: unittest.TestCase) -> None:
    for number in range(ENTRIES):
        cache.set(f"entry{number}", number)


class Clearing:
    """What most people write."""

    def tearDown(self) -> None:
        """Empty the cache, for all who use it."""
        cache.clear()


class Prefixed:
    """A prefix for each test, put into the open cache."""

    def setUp(self) -> None:
        """Draw the prefix."""
        caches["default"].key_prefix = uuid.uuid4().hex


class Overridden:
    """A cache for each test, by way of the settings."""

    def setUp(self: Any) -> None:
        """Name a place that nobody has used."""
        configured = settings.CACHES["default"]
        if configured["BACKEND"] == IN_FILES:
            folder = tempfile.TemporaryDirectory(dir=configured["LOCATION"])
            own = {"LOCATION": self.enterContext(folder)}
        elif configured["BACKEND"] == IN_MEMORY:
            own = {"LOCATION": uuid.uuid4().hex}
        else:
            own = {"KEY_PREFIX": uuid.uuid4().hex}
        self.enterContext(override_settings(CACHES={"default": configured | own}))


def _cases(base: type) -> dict[str, Callable[[], Case]]:
    def storing(manner: type | None = None) -> Callable[[], Case]:
        bases = (base,) if manner is None else (manner, base)
        return lambda: _classes(type("Storing", bases, {}), 3, 10, _store)

    return {
        "empty unittest.TestCase, 1 class": lambda: _classes(
            unittest.TestCase, 1, 2000, _nothing
        ),
        "empty SimpleTestCase, 1 class": lambda: _classes(
            SimpleTestCase, 1, 2000, _nothing
        ),
        "empty SimpleTestCase, 200 classes": lambda: _classes(
            SimpleTestCase, 200, 10, _nothing
        ),
        "plain": storing(),
        "clear() in tearDown": storing(Clearing),
        "random KEY_PREFIX": storing(Prefixed),
        "override_settings(CACHES)": storing(Overridden),
    }


def run(task: Task, serve: Callable[..., None]) -> None:
    """Serve suites, each run by the task's runner from beginning to end."""
    cases = _cases(TestCase if task.databases else SimpleTestCase)
    built: dict[str, Case] = {}

    with running(task) as runner:
        loader = unittest.defaultTestLoader

        def seconds(classes: Case) -> float:
            tests = [
                test for each in classes for test in loader.loadTestsFromTestCase(each)
            ]
            suite = runner.test_suite(tests)
            begun = perf_counter()
            result = runner.run_suite(suite)
            taken = perf_counter() - begun
            if not result.wasSuccessful():
                raise SystemExit(1)
            return taken / len(tests)

        def measure(case: str, _loops: int) -> float:
            if case not in built:
                built[case] = cases[case]()
            return seconds(built[case])

        seen: list[bool] = []

        def look(_test: unittest.TestCase) -> None:
            # Open the alias too, so that there is something to isolate.
            _ = caches["default"].key_prefix
            seen.append(is_in_section(task))

        seconds(_classes(SimpleTestCase, 1, 1, look))
        serve(measure, has_section=seen[0])
