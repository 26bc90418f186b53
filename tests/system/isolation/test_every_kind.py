"""Every kind of test, in every way of running it; and its twin with isolation off."""

import re

import pytest
from django import VERSION

from tests.commands import copied

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
# For Django's own runner: all but what only pytest runs, and what can't be pickled.
PATTERN = ("--", "-p", "tests_[km]*.py")


@pytest.fixture
def kinds(tmp_path):
    return copied("kinds", tmp_path)


@pytest.mark.parametrize(
    "command",
    [
        ("manage.py", "test", *PATTERN[1:]),
        ("-m", "pytest", "-q", "-p", "no:randomly"),
        pytest.param(
            ("-m", "pytest", "-q", "-p", "no:randomly", "-n", "2"),
            marks=pytest.mark.exhaustive,
        ),
    ],
)
def test_all_kinds_pass_and_fail_with_isolation_off(kinds, command):
    done = kinds.python(*command)
    assert done.code == 0, done.out + done.err
    done = kinds.python(*command, CI_CACHE_ISOLATION="off")
    assert done.code == 1
    assert re.search(
        r"^FAILED \(failures=\d\d|^\d\d failed, ", done.err + done.out, re.MULTILINE
    )


@pytest.mark.parametrize(
    "arguments", [("django", "leaks.tests_more"), ("pytest", "leaks/tests_more.py")]
)
def test_stress_works_with_this_django(kinds, arguments):
    options = ("--orders", 0, "--split", 0, "--runner", *arguments)
    done = kinds.stress(*options)
    assert (done.code, done.err) == (0, ""), done.out
    assert done.out.count("  ok    ") == 3


@pytest.mark.exhaustive
@pytest.mark.parametrize("arguments", [("django", *PATTERN), ("pytest",)])
def test_all_kinds_pass_forward_reverse_in_random_orders_and_split(kinds, arguments):
    options = ("--orders", ORDERS, "--seed", 1, "--cache", "isolated", "--runner")
    done = kinds.stress(*options, *arguments)
    assert (done.code, done.err) == (0, ""), done.out
    assert done.out.count("  ok    ") == ORDERS + 4
    assert "tests, 24 runs. " in done.out


@pytest.mark.exhaustive
@pytest.mark.parametrize("arguments", [("django", *PATTERN), ("pytest",)])
def test_with_isolation_off_every_one_of_these_runs_fails(kinds, arguments):
    # Not to find the reasons: of so many tests that takes long.
    limit = ("--minutes", 1)
    options = ("--orders", 2, "--seed", 1, *limit, "--cache", "shared", "--runner")
    done = kinds.stress(*options, *arguments)
    assert done.code == 1
    assert done.out.count("  FAIL  ") == 6
    assert "  ok  " not in done.out


# Django 5.2 knows only the first two.
METHODS = ["fork", "spawn", "forkserver"][: 3 if VERSION >= (6, 0) else 2]


@pytest.mark.parametrize("method", METHODS)
def test_workers_started_in_any_way_are_isolated(kinds, method):
    command = ("manage.py", "test", *PATTERN[1:], "--parallel", "2")
    done = kinds.python(*command, START_METHOD=method)
    assert done.code == 0, done.err
    assert re.search(r"Ran \d+ tests in .*\n\nOK", done.err)
    off = {"CI_CACHE_ISOLATION": "off", "START_METHOD": method}
    done = kinds.python(*command, **off)
    assert done.code == 1
    assert re.search(r"^FAILED \(failures=\d\d, errors=\d", done.err, re.MULTILINE)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", CLASSES)
def test_each_class_passes_alone_and_fails_with_isolation_off(kinds, name):
    command = ("manage.py", "test", f"leaks.tests_kinds.{name}")
    assert kinds.python(*command).code == 0
    assert kinds.python(*command, CI_CACHE_ISOLATION="off").code == 1


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_function_passes_alone_and_fails_with_isolation_off(kinds, name):
    command = ("-m", "pytest", "-q", "-p", "no:randomly")
    label = f"leaks/tests_functions.py::{name}"
    done = kinds.python(*command, label)
    assert done.code == 0, done.out
    assert kinds.python(*command, label, CI_CACHE_ISOLATION="off").code == 1


def test_asyncios_own_base_class_passes_and_fails_with_isolation_off(kinds):
    command = ("manage.py", "test", "leaks.tests_asyncio")
    assert kinds.python(*command).code == 0
    assert kinds.python(*command, CI_CACHE_ISOLATION="off").code == 1
