"""The public names, used as people use them: ``mypy --strict`` must accept this file.

Nothing here runs.
"""

from __future__ import annotations

import unittest
from collections.abc import Generator, Iterator
from typing import Any, assert_type

import django.test
from django.test.runner import DiscoverRunner

from ci_cache_isolation import (
    IsolatedCacheMixin,
    current_section,
    install,
    isolated,
    not_isolated,
    shared_with_children,
)
from ci_cache_isolation.runner import (
    IsolatedRunner,
    IsolatedTestSuite,
    IsolationMixin,
)
from ci_cache_isolation.settings import isolate

# Settings: what goes in comes out, with its type.
CACHES: dict[str, dict[str, str]] = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}
assert_type(isolate(CACHES), dict[str, dict[str, str]])
assert_type(isolate(CACHES, reset_memoised=True), dict[str, dict[str, str]])
assert_type(isolate(CACHES, state=["shop.rates"]), dict[str, dict[str, str]])
TEST_RUNNER = f"{IsolatedRunner.__module__}.{IsolatedRunner.__qualname__}"

# The switch.
state = install()
assert_type(state.value, bool)
assert_type(state.source, str)
install(command_line=True, ini="on")
assert_type(current_section(), str | None)
assert_type(current_section("default"), str | None)


# A block.
def use_blocks() -> None:
    with isolated():
        pass
    with isolated() as block, block:
        pass


def return_from_block() -> int:
    # A block swallows no errors, so nothing is missing behind it.
    with isolated():
        return 1


def share_with_children() -> None:
    with shared_with_children():
        pass


# Left alone: what is decorated stays what it is.
@not_isolated
def function_left_alone(number: int) -> str:
    return str(number)


@not_isolated
class LeftAloneTests(django.test.TestCase):
    attribute: int = 1


assert_type(function_left_alone(1), str)
assert_type(LeftAloneTests.attribute, int)


# Decorated bare and with parentheses: types are kept.
@isolated
def function(number: int, *, text: str = "") -> float:
    return number + len(text)


@isolated()
def function_called(number: int, *, text: str = "") -> float:
    return number + len(text)


assert_type(function(1, text="a"), float)
assert_type(function_called(1, text="a"), float)


@isolated
async def coroutine(number: int) -> str:
    return str(number)


@isolated()
async def coroutine_called(number: int) -> str:
    return str(number)


async def await_both() -> None:
    assert_type(await coroutine(1), str)
    assert_type(await coroutine_called(1), str)


@isolated
def generator(number: int) -> Generator[int, str, bytes]:
    yield number
    return b""


@isolated()
def iterator() -> Iterator[int]:
    yield 1


assert_type(generator(1), Generator[int, str, bytes])
assert_type(iterator(), Iterator[int])


# Classes stay the classes that they are.
@isolated
class DecoratedTests(django.test.TestCase):
    attribute: int = 1

    def test_one(self) -> None:
        assert_type(self.attribute, int)


@isolated()
class DecoratedPytestTests:
    def test_one(self) -> int:
        return 1

    @isolated
    def test_two(self, number: int) -> int:
        return number


decorated_class: type[DecoratedTests] = DecoratedTests
assert_type(DecoratedTests("test_one"), DecoratedTests)
assert_type(DecoratedTests.attribute, int)
assert_type(DecoratedPytestTests().test_one(), int)
assert_type(DecoratedPytestTests().test_two(1), int)


class MixinTests(IsolatedCacheMixin, unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()

    def test_one(self) -> None:
        assert_type(current_section(), str | None)


class MixinDjangoTests(IsolatedCacheMixin, django.test.TransactionTestCase):
    pass


# Runners.
class OwnRunner(IsolationMixin, DiscoverRunner):
    test_suite = IsolatedTestSuite

    def run_tests(self, test_labels: list[str], **kwargs: Any) -> int:
        return super().run_tests(test_labels, **kwargs)


runner: DiscoverRunner = IsolatedRunner(verbosity=0)
suite: unittest.TestSuite = IsolatedTestSuite([MixinTests("test_one")])
assert_type(OwnRunner().parallel, int)


# What must be refused: each of these is an error, or mypy reports an unused ignore.
isolated(1)  # type: ignore[call-overload]
isolate(["default"])  # type: ignore[type-var]
install(command_line="on")  # type: ignore[arg-type]
current_section(1)  # type: ignore[arg-type]
