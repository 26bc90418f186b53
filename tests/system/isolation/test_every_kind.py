"""Kinds of tests that not every runner runs, and stress on all the others."""

import pytest


@pytest.mark.parametrize(
    "arguments", [("django", "leaks.tests_more"), ("pytest", "leaks/tests_more.py")]
)
def test_stress_works_with_this_django(kinds, arguments):
    options = ("--orders", 0, "--split", 0, "--seed", 0, "--runner", *arguments)
    done = kinds.stress(*options)
    assert (done.code, done.err) == (0, ""), done.out
    assert done.out.count("  ok    ") == 3


def test_asyncios_own_base_class_passes_and_fails_with_isolation_off(kinds):
    command = ("manage.py", "test", "leaks.tests_asyncio")
    assert kinds.python(*command).code == 0
    assert kinds.python(*command, CI_CACHE_ISOLATION="off").code == 1
