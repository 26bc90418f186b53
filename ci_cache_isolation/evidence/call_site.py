"""Where a cache operation was called: outside of Django, the backend and this package.

For asynchronous operations, whose work is done in another thread or a later step, the
caller's site is handed on in a context variable, which goes wherever the call goes.
"""

from __future__ import annotations

import inspect
import os
import sys
from contextvars import ContextVar
from types import FrameType

from ci_cache_isolation.evidence.account import Site

__all__ = ["HANDED_ON", "call_site", "line_text"]

HANDED_ON: ContextVar[Site | None] = ContextVar("call site", default=None)
_NOT_A_CALLER = frozenset(
    {"django", "asgiref", "asyncio", "ci_cache_isolation", "concurrent", "contextlib"}
    | {"django_redis", "django_valkey", "functools", "threading", "unittest"}
    | {"_pytest", "pluggy", "pytest", "pytest_django"}
)
# Who runs tests: what called that has nothing to do with one.
_RUNNING_TESTS = frozenset(
    {"unittest.case", "unittest.async_case", "unittest.suite"}
    | {"_pytest.python", "_pytest.unittest", "pytest_asyncio.plugin"}
)
_DEEPEST = 200


def call_site(function: object) -> Site:
    """Return the caller's site. ``function`` is that of the running test, if any.

    Of what a test does in a task or a thread of its own it is not among the callers:
    there its definition stands for its line.
    """
    test_module = getattr(function, "__module__", None) or ""
    handed_on = HANDED_ON.get()
    if handed_on is not None:
        return handed_on
    at = in_test = ""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - there is no other way
    for _ in range(_DEEPEST):
        if frame is None:
            break
        module = str(frame.f_globals.get("__name__", ""))
        if module == test_module:
            in_test = _written(frame)
            at = at or in_test
            break
        if module in _RUNNING_TESTS:
            break
        if not at and module.partition(".")[0] not in _NOT_A_CALLER:
            at = _written(frame)
        frame = frame.f_back
    if not in_test:
        code = getattr(inspect.unwrap(function), "__code__", None)  # type: ignore[arg-type]
        in_test = (
            "" if code is None else line_text(code.co_filename, code.co_firstlineno)
        )
    return Site(at or in_test, in_test)


def _written(frame: FrameType) -> str:
    return line_text(frame.f_code.co_filename, frame.f_lineno)


def line_text(path: str, number: int) -> str:
    """Return a line of a file as reports write it."""
    folder = os.getcwd() + os.sep  # noqa: PTH109
    return f"{path.removeprefix(folder)}:{number}"
