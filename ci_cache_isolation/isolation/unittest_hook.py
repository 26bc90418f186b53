"""Scopes from unittest: module, class and test, under whatever runner.

``unittest.TestSuite`` knows all boundaries, also for tests that inherit from nothing
of Django's: it calls ``_tearDownPreviousClass``, ``_handleModuleFixture`` and
``_handleClassSetUp`` before every test, and the first of them once more at the end,
with ``_handleModuleTearDown``. A hook at ``startTest`` would be too narrow: Django's
fixtures are loaded before it.

What is known of a run hangs on its result object, as unittest's own knowledge does, so
that a test may itself run a suite.
"""

from __future__ import annotations

import functools
import unittest
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ci_cache_isolation.isolation import notices
from ci_cache_isolation.isolation.process_state import STATE
from ci_cache_isolation.isolation.scopes import (
    RAW,
    Path,
    Scope,
    ScopeKind,
    dotted_name,
)

if TYPE_CHECKING:
    from ci_cache_isolation.isolation.stack import ScopeStack

__all__ = [
    "attach",
    "detach",
    "is_attached",
    "scope_of_class",
    "scope_of_test",
]

_TEST = ScopeKind.TEST
_RUN = "_ci_cache_isolation_run"
_originals: dict[str, Callable[..., Any]] = {}
_in_place: set[str] = set()


def scope_of_class(test_class: type) -> Scope:
    """Return the scope of a test class."""
    is_raw = bool(getattr(test_class, RAW, False))
    return Scope(ScopeKind.CLASS, dotted_name(test_class), is_raw=is_raw)


def scope_of_test(test: object, of_class: Scope | None = None) -> Scope:
    """Return the scope of a test case, or of whatever a suite runs as one."""
    if of_class is None:
        of_class = scope_of_class(type(test))
    method = getattr(test, "_testMethodName", "")
    function = getattr(type(test), method, None)
    scope = Scope(_TEST, f"{of_class.name}.{method}", function)
    if of_class.is_raw or getattr(function, RAW, False):
        scope.is_raw = True
    return scope


def is_attached() -> bool:
    """Try whether running a suite comes by here, with one that is empty."""
    STATE.is_probed = True
    unittest.TestSuite().run(unittest.TestResult())
    came_by, STATE.is_probed = not STATE.is_probed, False
    return came_by and STATE.suites is not None


class SuiteRun:
    """Where one run of a suite stands, inside the scopes that it was started in."""

    __slots__ = (
        "base",
        "class_scope",
        "module",
        "next_module",
        "stack",
        "test_class",
        "test_scope",
    )

    def __init__(self, stack: ScopeStack | None) -> None:
        self.stack = stack
        self.base: Path = () if stack is None else stack.path
        self.module: Path = ()
        self.next_module = ""
        self.test_class: type | None = None
        self.class_scope: Scope | None = None
        self.test_scope: Scope | None = None

    def to_base(self) -> None:
        """Close what this run has opened."""
        self.module = ()
        self.test_class = self.class_scope = None
        self._move()

    def to_module(self, name: str) -> None:
        """Close the previous module's scope, open this one's."""
        self.to_base()
        self.module = (Scope(ScopeKind.MODULE, name),)
        self._move()

    def to_class(self, test_class: type | None) -> None:
        """Close the test's scope; and the class's, unless it is this one."""
        stack = self.stack
        if stack is None:
            return
        if test_class is not self.test_class or test_class is None:
            self.test_class = test_class
            self.class_scope = scope_of_class(test_class) if test_class else None
        self._move()

    def to_next(self, test: object) -> bool:
        """Go straight from one test of a class to the next, if nothing else moved."""
        stack, previous, of_class = self.stack, self.test_scope, self.class_scope
        if (
            stack is None
            or previous is None
            or of_class is None
            or self.test_class is not type(test)
        ):
            return False
        scope = scope_of_test(test, of_class)
        if not stack.follow(previous, scope):
            return False
        self.test_scope = scope
        return True

    def to_test(self, test: object) -> None:
        """Open the test's scope."""
        stack = self.stack
        if stack is None:
            return
        scope = scope_of_test(test, self.class_scope)
        if stack.innermost is self.class_scope:
            stack.begin(scope)
        else:
            self._move(scope)
        self.test_scope = scope

    def _move(self, *inner: Scope) -> None:
        if self.stack is not None:
            of_class = () if self.class_scope is None else (self.class_scope,)
            self.stack.move_to((*self.base, *self.module, *of_class, *inner))


def attach(stack: ScopeStack, is_enabled: Callable[[], bool]) -> None:
    """Let every ``unittest.TestSuite`` of this process tell its boundaries.

    ``is_enabled`` is asked when a run begins; one that is not goes on as without us.
    """
    STATE.suites, STATE.is_enabled = stack, is_enabled
    for name, replacement in _REPLACEMENTS.items():
        current = getattr(unittest.TestSuite, name, None)
        if current is None:
            # The run is not going to start.
            continue
        # Others may have wrapped our wrapper. Only the original means it is gone.
        if name not in _in_place or current is _originals[name]:
            _originals[name] = current
            _in_place.add(name)
            setattr(unittest.TestSuite, name, functools.wraps(current)(replacement))


def detach() -> None:
    """Tell no more. A wrapper that others have wrapped stays, and does nothing."""
    STATE.suites = None
    for name, replacement in _REPLACEMENTS.items():
        if getattr(unittest.TestSuite, name, None) is replacement:
            setattr(unittest.TestSuite, name, _originals[name])
            _in_place.discard(name)


def _run_of(result: Any) -> SuiteRun:
    """Return what is known of a run; one that began before us goes on without us."""
    run: SuiteRun | None = getattr(result, _RUN, None)
    if run is None:
        began_before = getattr(result, "_previousTestClass", None) is not None
        run = _begun(result, None if began_before else STATE.suites)
    return run


def _begun(result: Any, stack: ScopeStack | None) -> SuiteRun:
    is_on = stack is not None and STATE.is_enabled()
    run = SuiteRun(stack if is_on else None)
    setattr(result, _RUN, run)
    return run


def _ended(result: Any) -> None:
    run: SuiteRun | None = getattr(result, _RUN, None)
    if run is not None:
        run.to_base()
        delattr(result, _RUN)
        if not run.base:
            notices.warn()


def _run_suite(suite: Any, result: Any, debug: bool = False) -> Any:  # noqa: FBT001, FBT002
    if STATE.is_probed:
        STATE.is_probed = False
        return result
    if getattr(result, "_testRunEntered", False):
        return _originals["run"](suite, result, debug)
    _begun(result, STATE.suites)
    try:
        return _originals["run"](suite, result, debug)
    finally:
        # An interrupt leaves scopes open, and so does the debugger's first failure.
        _ended(result)


def _tear_down_previous_class(suite: Any, test: Any, result: Any) -> None:
    run = _run_of(result)
    previous = getattr(result, "_previousTestClass", None)
    if previous is type(test) and run.to_next(test):
        # What unittest calls until the test runs does nothing within a class.
        STATE.followed = test
        _originals["_tearDownPreviousClass"](suite, test, result)
        return
    run.to_class(previous)
    _originals["_tearDownPreviousClass"](suite, test, result)
    if previous is not type(test):
        run.to_class(None)


def _handle_module_fixture(suite: Any, test: Any, result: Any) -> None:
    # Tears the previous module down on its way, by way of the next function.
    if STATE.followed is test:
        _originals["_handleModuleFixture"](suite, test, result)
        return
    run = _run_of(result)
    run.next_module = type(test).__module__
    _originals["_handleModuleFixture"](suite, test, result)
    run.next_module = ""


def _handle_module_tear_down(suite: Any, result: Any) -> None:
    _originals["_handleModuleTearDown"](suite, result)
    run = _run_of(result)
    if run.next_module:
        run.to_module(run.next_module)
        return
    _ended(result)


def _handle_class_set_up(suite: Any, test: Any, result: Any) -> None:
    if STATE.followed is test:
        STATE.followed = None
        _originals["_handleClassSetUp"](suite, test, result)
        return
    run = _run_of(result)
    run.to_class(type(test))
    _originals["_handleClassSetUp"](suite, test, result)
    run.to_test(test)


_REPLACEMENTS: dict[str, Callable[..., Any]] = {
    "run": _run_suite,
    "_tearDownPreviousClass": _tear_down_previous_class,
    "_handleModuleFixture": _handle_module_fixture,
    "_handleModuleTearDown": _handle_module_tear_down,
    "_handleClassSetUp": _handle_class_set_up,
}
