"""Who calls a memoised function, as the audit sees it."""

import functools
import sys

import pytest

from ci_cache_isolation.evidence.account import Account, How, Site, remembered
from ci_cache_isolation.evidence.memoised_calls import MemoisedCalls
from ci_cache_isolation.isolation.memoised import MemoisedFunctions

HELD = "app.tests.Tests"


@functools.lru_cache
def squared(number):
    return number**2


NAME = remembered(f"{__name__}.squared")
clear_that_was_taken_hold_of = squared.cache_clear


class Recording:
    """One account after the other. ``held`` are entries of an enclosing scope."""

    def __init__(self):
        self.held = set()
        self.begin()

    def begin(self):
        self.account = Account(lambda entry: HELD if entry in self.held else "")

    def called(self, entry, site, *, hit):
        self.account.look(entry, "", "call", hit, site or (lambda: Site("", "")))
        self.account.store(entry, "", "call", None, site or (lambda: Site("", "")))

    def forgot(self, entry, site):
        self.account.delete(entry, "", "cache_clear", site or (lambda: Site("", "")))

    def safely(self, work, *args):
        work(*args)


@pytest.fixture
def recording():
    return Recording()


@pytest.fixture
def calls(recording):
    squared.cache_clear()
    functions = MemoisedFunctions()
    calls = MemoisedCalls(functions, recording)
    calls.settle()
    calls.functions = functions
    yield calls
    del vars(squared)["cache_clear"]


def is_left(recording):
    left = recording.account.left.get(NAME)
    return left and left.how


def test_who_calls_nothing_does_nothing(recording, calls):
    calls.settle()
    assert (recording.account.looked, recording.account.left) == ({}, {})


def test_what_was_called_before_the_first_look_is_nobodys_doing(recording):
    squared.cache_clear()
    squared(2)
    MemoisedCalls(MemoisedFunctions(), recording).settle()
    del vars(squared)["cache_clear"]
    assert (recording.account.looked, recording.account.left) == ({}, {})


def test_a_function_of_a_module_that_came_meanwhile_was_called_by_who_loaded_it(
    recording, calls, monkeypatch
):
    cubed = functools.lru_cache(lambda number: number**3)
    cubed.__module__, cubed.__qualname__ = __name__, "cubed"
    cubed(2)
    monkeypatch.setitem(
        sys.modules, "module_that_came_meanwhile", sys.modules[__name__]
    )
    calls.settle()
    assert recording.account.looked.keys() == {remembered(f"{__name__}.cubed")}


def test_the_first_to_call_looks_and_leaves_with_the_functions_place(recording, calls):
    squared(2)
    calls.settle()
    assert recording.account.looked[NAME].hit is None
    assert is_left(recording) is How.STORED
    at = recording.account.left[NAME].site.at
    assert at.endswith(f":{squared.__wrapped__.__code__.co_firstlineno}")


def test_who_only_finds_what_others_had_it_remember_looks_and_leaves_as_well(
    recording, calls
):
    squared(2)
    calls.settle()
    recording.begin()
    squared(2)
    calls.settle()
    assert recording.account.looked[NAME].hit is True
    assert is_left(recording) is How.STORED


def test_who_has_it_forget_first_leaves_and_does_not_look(recording, calls):
    squared(2)
    calls.settle()
    recording.begin()
    squared.cache_clear()
    squared(2)
    calls.settle()
    assert recording.account.looked == {}
    assert is_left(recording) is How.STORED


def test_who_has_it_forget_in_the_end_looks_and_leaves_nothing(recording, calls):
    squared(2)
    squared.cache_clear()
    calls.settle()
    assert recording.account.looked.keys() == {NAME}
    assert is_left(recording) is None
    assert squared.cache_info().currsize == 0


def test_who_has_it_forget_what_its_class_had_it_remember_leaves_that(recording, calls):
    recording.held.add(NAME)
    squared.cache_clear()
    calls.settle()
    assert is_left(recording) is How.DELETED


def test_forgetting_is_seen_by_the_counts_where_the_method_was_taken_hold_of(
    recording, calls
):
    recording.held.add(NAME)
    squared(2)
    squared(3)
    calls.settle()
    recording.begin()
    clear_that_was_taken_hold_of()
    squared(2)
    calls.settle()
    assert recording.account.looked == {}
    assert is_left(recording) is How.STORED


def test_a_reset_is_nobodys_doing(recording, calls):
    squared(2)
    calls.settle()
    recording.begin()
    calls.functions.reset()
    calls.settle()
    assert (recording.account.looked, recording.account.left) == ({}, {})
    squared(2)
    calls.settle()
    assert recording.account.looked[NAME].hit is None
