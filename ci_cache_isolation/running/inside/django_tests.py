"""Django's tests, described: ids, classes, and kinds that are kept in sequence."""

from __future__ import annotations

import unittest
from collections.abc import Iterable, Sequence

from ci_cache_isolation.isolation.scopes import dotted_name
from ci_cache_isolation.running.suite import SuiteTest

__all__ = ["described"]


def described(
    tests: Iterable[unittest.TestCase], kinds: Sequence[type]
) -> list[SuiteTest]:
    """Return what is to be known of tests; ``kinds`` is a runner's ``reorder_by``."""
    return [
        SuiteTest(test.id(), (dotted_name(type(test)),), _rank(test, kinds))
        for test in tests
    ]


def _rank(test: unittest.TestCase, kinds: Sequence[type]) -> int:
    fitting = (place for place, kind in enumerate(kinds) if isinstance(test, kind))
    return next(fitting, len(kinds))
