"""The project's memoised functions, and having them forget."""

import functools
import sys
from types import ModuleType

import pytest

from ci_cache_isolation.isolation.memoised import MemoisedFunctions
from ci_cache_isolation.isolation.scopes import Scope, ScopeKind

CLASS = Scope(ScopeKind.CLASS, "app.tests.Tests")
TEST = Scope(ScopeKind.TEST, "app.tests.Tests.test")
BLOCK = Scope(ScopeKind.BLOCK, "isolated")


@functools.lru_cache
def doubled(number):
    return 2 * number


class Numbers:
    @staticmethod
    @functools.cache
    def tripled(number):
        return 3 * number


def decorated(function):
    @functools.cache
    @functools.wraps(function)
    def wrapper(number):
        return function(number)

    return wrapper


@decorated
def halved(number):
    return number // 2


@pytest.fixture
def functions():
    return MemoisedFunctions()


def names(functions):
    return {each.name for each in functions.found}


def test_functions_and_methods_of_the_project_are_found_with_their_places(functions):
    functions.find()
    of_this = {each.name: each for each in functions.found if each.file == __file__}
    own = {"doubled", "Numbers.tripled", "halved"}
    assert {f"{__name__}.{name}" for name in own} == of_this.keys()
    line = doubled.__wrapped__.__code__.co_firstlineno
    assert of_this[f"{__name__}.doubled"].line == line
    assert of_this[f"{__name__}.doubled"].function() is doubled


def test_functions_that_others_have_written_are_not(functions):
    functions.find()
    modules = {name.partition(".")[0] for name in names(functions)}
    assert modules.isdisjoint({"django", "re", "functools", "_pytest", "pytest"})
    assert not {name for name in names(functions) if "ci_cache_isolation" in name}


def test_it_is_looked_again_only_when_a_module_of_the_project_is_new(
    functions, monkeypatch
):
    functions.find()
    before = len(functions.found)

    @functools.cache
    def later(number):
        return number

    functions.find()
    assert len(functions.found) == before
    new = ModuleType("a_new_module")
    monkeypatch.setitem(sys.modules, "a_new_module", new)
    functions.find()
    assert len(functions.found) == before
    monkeypatch.setitem(sys.modules, "another_new_module", new)
    new.__file__ = __file__
    functions.find()
    [found] = functions.found[before:]
    assert found.function() is later
    del later
    assert found.function() is None


def test_a_reset_has_all_of_them_forget_and_nobody_elses(functions):
    doubled(1), halved(4), Numbers().tripled(1)
    functions.reset()
    for function in (doubled, halved, Numbers.tripled):
        assert function.cache_info().currsize == 0
    assert functions.resets == 1


def test_a_reset_that_fails_is_a_notice(functions, monkeypatch):
    noted = []
    monkeypatch.setattr("ci_cache_isolation.isolation.notices.note", noted.append)
    broken = ModuleType("django.contrib.sites.models")
    broken.Site = object()
    monkeypatch.setitem(sys.modules, "django.contrib.sites.models", broken)
    functions.reset()
    assert len(noted) == 1
    assert "could not be reset" in noted[0]
    assert not functions.is_resetting


def test_scopes_that_have_sections_forget_when_they_end_and_blocks_do_not(stack):
    ended = []
    stack.forget = lambda: ended.append(stack.path)
    stack.begin(CLASS)
    stack.begin(TEST)
    with stack.opened(BLOCK):
        pass
    assert ended == []
    stack.end()
    stack.end()
    assert ended == [(CLASS,), ()]


def test_a_function_that_wraps_itself_is_no_trouble(functions):
    @functools.cache
    def endless(number):
        return number

    endless.__wrapped__ = endless
    endless(1)
    functions.find()
    assert f"{__name__}.doubled" in names(functions)
    functions.reset()
    assert doubled.cache_info().currsize == 0
