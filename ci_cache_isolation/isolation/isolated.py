"""A section for a block, a function, a coroutine or a class of tests."""

from __future__ import annotations

import functools
import inspect
import unittest
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast, overload

from ci_cache_isolation.isolation.scopes import RAW, Scope, ScopeKind, dotted_name
from ci_cache_isolation.isolation.switch import STACK, install
from ci_cache_isolation.isolation.unittest_hook import scope_of_class, scope_of_test

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["IsolatedCacheMixin", "isolated", "not_isolated"]

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


@overload
def isolated() -> Isolation: ...
@overload
def isolated(decorated: Decorated, /) -> Decorated: ...
def isolated(decorated: Any = None, /) -> Any:
    """Give a block, a function, a coroutine or a test class sections of its own.

    As context manager (``with isolated():``) and decorator (``@isolated``): inside,
    caches hold what they held outside; what is done inside is gone afterwards. A test
    that runner or plugin isolate already keeps its one section. The section belongs
    to the process: other threads see it too. `TypeError` for what can't be decorated.
    """
    return Isolation() if decorated is None else Isolation()(decorated)


def not_isolated(decorated: Decorated, /) -> Decorated:
    """Leave keys plain in a test, or in all tests of a class: a decorator.

    For tests that read the server's own keys, or what other code stores there
    without a cache of Django's. They meet what others left there, and ``clear()`` is
    the backend's own. Where keys are not changed, as in memory, it does nothing.
    """
    setattr(decorated, RAW, True)
    return decorated


class Isolation:
    """What `isolated()` returns: enter it, or decorate with it."""

    def __init__(self) -> None:
        self._entered: list[AbstractContextManager[None]] = []

    def __enter__(self) -> Self:
        section = _section(Scope(ScopeKind.BLOCK, "isolated"))
        section.__enter__()
        self._entered.append(section)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._entered.pop().__exit__(None, None, None)

    def __call__(self, decorated: Decorated) -> Decorated:
        """Decorate a function, a coroutine function or a class of tests."""
        if isinstance(decorated, type):
            return cast("Decorated", _class(decorated))
        return cast("Decorated", _function(decorated))


class IsolatedCacheMixin:
    """Sections for the tests of one ``unittest.TestCase`` class and its subclasses.

    For suites that no runner and no plugin of this package runs; where one does, it
    changes nothing. It stands first among the base classes.
    """

    @classmethod
    def setUpClass(cls) -> None:
        """Open the class's section; it closes after ``tearDownClass``."""
        cls.enterClassContext(_joined(scope_of_class(cls)))  # type: ignore[attr-defined]
        super().setUpClass()  # type: ignore[misc]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the test in a section of its own."""
        with _joined(scope_of_test(self)):
            return super().__call__(*args, **kwargs)  # type: ignore[misc]

    def debug(self) -> None:
        """Run the test as `__call__` does, for a debugger."""
        with _joined(scope_of_test(self)):
            super().debug()  # type: ignore[misc]


def _joined(scope: Scope) -> AbstractContextManager[None]:
    return STACK.joined(scope) if install().value else nullcontext()


def _section(scope: Scope) -> AbstractContextManager[None]:
    return STACK.opened(scope) if install().value else nullcontext()


def _section_of(function: Callable[..., Any]) -> AbstractContextManager[None]:
    innermost = STACK.innermost
    if (
        innermost is not None
        and innermost.kind is ScopeKind.TEST
        and dotted_name(innermost.function) == dotted_name(function)
    ):
        # This is the test itself: its set-up and tear-down share its section.
        return _joined(innermost)
    return _section(Scope(ScopeKind.BLOCK, dotted_name(function)))


def _function(function: Any) -> Callable[..., Any]:
    if not callable(function) or inspect.isasyncgenfunction(function):
        raise TypeError(
            f"isolated can't decorate {function!r}: it is no function, coroutine "
            "function, generator function or class. Use 'with isolated():' inside it."
        )
    wrapper: Callable[..., Any]
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def wrapper(*args: Any, **kwargs: Any) -> Any:
            with _section_of(function):
                return await function(*args, **kwargs)

    elif inspect.isgeneratorfunction(function):

        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with _section_of(function):
                return (yield from function(*args, **kwargs))

    else:

        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with _section_of(function):
                return function(*args, **kwargs)

    return wrapper


def _class(test_class: type) -> type:
    """Give a class what `IsolatedCacheMixin` gives, in place: it stays the same class.

    A class that pytest collects and that is no ``TestCase`` has its tests decorated.
    """
    if issubclass(test_class, unittest.TestCase):
        _test_case(test_class)
    elif not _tests_decorated(test_class):
        raise TypeError(
            f"isolated can't decorate {test_class!r}: it holds no tests, so there is "
            "nothing to give a section to. Decorate the functions that use a cache."
        )
    return test_class


def _tests_decorated(test_class: type) -> bool:
    tests = [name for name in dir(test_class) if name.startswith("test")]
    for name in tests:
        member = inspect.getattr_static(test_class, name)
        if isinstance(member, (staticmethod, classmethod)):
            decorated: Any = type(member)(_function(member.__func__))
        elif inspect.isfunction(member):
            decorated = _function(member)
        else:
            continue
        setattr(test_class, name, decorated)
    return any(callable(getattr(test_class, name)) for name in tests)


def _test_case(test_class: type[unittest.TestCase]) -> None:
    set_up = _own_or_next(test_class, "setUpClass")
    call, debug = (_own_or_next(test_class, name) for name in ("__call__", "debug"))

    def set_up_class(cls: type[unittest.TestCase]) -> None:
        cls.enterClassContext(_joined(scope_of_class(cls)))
        set_up(cls)

    def call_in_section(self: unittest.TestCase, *args: Any, **kwargs: Any) -> Any:
        with _joined(scope_of_test(self)):
            return call(self, *args, **kwargs)

    def debug_in_section(self: unittest.TestCase) -> None:
        with _joined(scope_of_test(self)):
            debug(self)

    for name, replacement in {
        "setUpClass": classmethod(set_up_class),
        "__call__": call_in_section,
        "debug": debug_in_section,
    }.items():
        setattr(test_class, name, replacement)


def _own_or_next(test_class: type, name: str) -> Callable[..., Any]:
    """Return a class's own method, or one that asks whoever comes next in line."""
    own = vars(test_class).get(name)
    if own is not None:
        return cast("Callable[..., Any]", getattr(own, "__func__", own))

    def inherited(self: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(super(test_class, self), name)(*args, **kwargs)

    return inherited
