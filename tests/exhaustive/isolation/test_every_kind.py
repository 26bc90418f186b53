"""Every kind of test alone, and all of them in many orders; and with isolation off."""

import pytest

from tests.kinds import PATTERN

ORDERS = 20
CLASSES = [
    "PlainTests",
    "SetUpTests",
    "SimpleTests",
    "DatabaseTests",
    "TransactionTests",
    "ServerTests",
    "RestTests",
    "AsyncTests",
    "ThreadTests",
    "OverriddenTests",
    "OverriddenClassTests",
]
FUNCTIONS = [
    "test_function",
    "test_function_with_database",
    "test_session_fixture",
    "test_module_fixture",
    "test_parametrized_module_fixture",
    "test_wider_fixture_asked_for_late",
    "test_function_fixture",
    "TestInClass",
]
RUNNERS = [("django", "--", *PATTERN), ("pytest",)]


@pytest.mark.parametrize("arguments", RUNNERS)
def test_all_kinds_pass_forward_reverse_in_random_orders_and_split(kinds, arguments):
    options = ("--orders", ORDERS, "--seed", 1, "--cache", "isolated", "--runner")
    done = kinds.stress(*options, *arguments)
    assert (done.code, done.err) == (0, ""), done.out
    assert done.out.count("  ok    ") == ORDERS + 4
    assert "tests, 24 runs. " in done.out


@pytest.mark.parametrize("arguments", RUNNERS)
def test_with_isolation_off_every_one_of_these_runs_fails(kinds, arguments):
    # Not to find the reasons: of so many tests that takes long.
    limit = ("--minutes", 1)
    options = ("--orders", 2, "--seed", 1, *limit, "--cache", "shared", "--runner")
    done = kinds.stress(*options, *arguments)
    assert done.code == 1
    assert done.out.count("  FAIL  ") == 6
    assert "  ok  " not in done.out


@pytest.mark.parametrize("name", CLASSES)
def test_each_class_passes_alone_and_fails_with_isolation_off(kinds, name):
    command = ("manage.py", "test", f"leaks.tests_kinds.{name}")
    assert kinds.python(*command).code == 0
    assert kinds.python(*command, CI_CACHE_ISOLATION="off").code == 1


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_function_passes_alone_and_fails_with_isolation_off(kinds, name):
    command = ("-m", "pytest", "-q", "-p", "no:randomly")
    label = f"leaks/tests_functions.py::{name}"
    done = kinds.python(*command, label)
    assert done.code == 0, done.out
    assert kinds.python(*command, label, CI_CACHE_ISOLATION="off").code == 1
