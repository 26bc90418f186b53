"""Where a cache operation was called: outside of Django, the backend and this package.

For asynchronous operations, whose work is done in another thread or a later step, the
caller's site is handed on in a context variable, which goes wherever the call goes.
"""

from __future__ import annotations

import os
import sys
from contextvars import ContextVar
from types import FrameType

from ci_cache_isolation.audit.account import Site

__all__ = ["HANDED_ON", "call_site"]

HANDED_ON: ContextVar[Site | None] = ContextVar("call site", default=None)
_NOT_A_CALLER = frozenset(
    {"django", "asgiref", "asyncio", "ci_cache_isolation", "concurrent", "contextlib"}
    | {"django_redis", "django_valkey", "functools", "threading", "unittest"}
    | {"_pytest", "pluggy", "pytest", "pytest_django"}
)
_DEEPEST = 200


def call_site(test_module: str) -> Site:
    """Return the caller's site. ``test_module`` is that of the running test."""
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
        if not at and module.partition(".")[0] not in _NOT_A_CALLER:
            at = _written(frame)
        frame = frame.f_back
    return Site(at, in_test)


def _written(frame: FrameType) -> str:
    path, folder = frame.f_code.co_filename, os.getcwd() + os.sep  # noqa: PTH109
    return f"{path.removeprefix(folder)}:{frame.f_lineno}"
