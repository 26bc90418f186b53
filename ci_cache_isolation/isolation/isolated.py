"""A section for a block, a function, a coroutine or a class of tests."""

from __future__ import annotations

import functools
import inspect
import unittest
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast, overload

from ci_cache_isolation.isolation.scopes import Scope, ScopeKind, dotted_name
from ci_cache_isolation.isolation.switch import STACK, install
from ci_cache_isolation.isolation.unittest_hook import class_scope, test_scope

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["IsolatedCacheMixin", "isolated"]

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


class Isolation:
    """What `isolated()` returns: enter it, or decorate with it."""

    def __init__(self) -> None:
        self._entered = ExitStack()

    def __enter__(self) -> Self:
        self._entered.enter_context(_section(Scope(ScopeKind.BLOCK, "isolated")))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._entered.close()

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
        cls.enterClassContext(_joined(class_scope(cls)))  # type: ignore[attr-defined]
        super().setUpClass()  # type: ignore[misc]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the test in a section of its own."""
        with _joined(test_scope(self)):
            return super().__call__(*args, **kwargs)  # type: ignore[misc]

    def debug(self) -> None:
        """Run the test as `__call__` does, for a debugger."""
        with _joined(test_scope(self)):
            super().debug()  # type: ignore[misc]


@contextmanager
def _joined(scope: Scope) -> Iterator[None]:
    if not install().value:
        yield
        return
    with STACK.joined(scope):
        yield


@contextmanager
def _section(scope: Scope) -> Iterator[None]:
    if not install().value:
        yield
        return
    with STACK.opened(scope):
        yield


def _section_of(function: Callable[..., Any]) -> AbstractContextManager[None]:
    innermost = STACK.innermost
    if (
        innermost is not None
        and innermost.kind is ScopeKind.TEST
        and innermost.function == dotted_name(function)
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
        _set_up_class_in_section(test_class)
        for name in ("__call__", "debug"):
            setattr(test_class, name, _in_test_section(getattr(test_class, name)))
        return test_class
    tests = [
        name
        for name, member in inspect.getmembers(test_class, inspect.isfunction)
        if name.startswith("test")
    ]
    if not tests:
        raise TypeError(
            f"isolated can't decorate {test_class!r}: it holds no tests, so there is "
            "nothing to give a section to. Decorate the functions that use a cache."
        )
    for name in tests:
        setattr(test_class, name, _function(getattr(test_class, name)))
    return test_class


def _set_up_class_in_section(test_class: type[unittest.TestCase]) -> None:
    original = test_class.setUpClass.__func__  # type: ignore[attr-defined]

    @functools.wraps(original)
    def set_up_class(cls: type[unittest.TestCase]) -> None:
        cls.enterClassContext(_joined(class_scope(cls)))
        original(cls)

    test_class.setUpClass = classmethod(set_up_class)  # type: ignore[method-assign,assignment]


def _in_test_section(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def wrapper(self: unittest.TestCase, *args: Any, **kwargs: Any) -> Any:
        with _joined(test_scope(self)):
            return method(self, *args, **kwargs)

    return wrapper
