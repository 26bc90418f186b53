"""Django's tests, described: ids, classes, and kinds that are kept in sequence."""

from __future__ import annotations

import unittest
from collections.abc import Iterable, Sequence

from ci_cache_isolation.isolation.scopes import dotted_name
from ci_cache_isolation.running.output import telling_line
from ci_cache_isolation.running.suite import SuiteTest

__all__ = ["described", "not_loaded"]


def described(
    tests: Iterable[unittest.TestCase], kinds: Sequence[type]
) -> list[SuiteTest]:
    """Return what is to be known of tests; ``kinds`` is a runner's ``reorder_by``."""
    return [
        SuiteTest(test.id(), (dotted_name(type(test)),), _rank(test, kinds))
        for test in tests
    ]


def not_loaded(tests: Iterable[unittest.TestCase]) -> dict[str, str]:
    """Return the modules that could not be imported, each with the reason."""
    failed = (
        test
        for test in tests
        if isinstance(test, unittest.loader._FailedTest)  # type: ignore[attr-defined]  # noqa: SLF001
        # A package may skip all of itself, where it lacks what it needs.
        and not isinstance(test._exception, unittest.SkipTest)  # noqa: SLF001
    )
    return {
        test._testMethodName: telling_line(str(test._exception).splitlines())  # noqa: SLF001
        for test in failed
    }


def _rank(test: unittest.TestCase, kinds: Sequence[type]) -> int:
    fitting = (place for place, kind in enumerate(kinds) if isinstance(test, kind))
    return next(fitting, len(kinds))
