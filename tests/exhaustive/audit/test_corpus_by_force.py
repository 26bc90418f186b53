"""The project whose leaks are known, by both runners, and by brute force."""

import pytest

from tests.audits import (
    assert_many_fail,
    assert_only_brittle_tests_fail,
    assert_what_functions_remember_fails,
    failed_in,
)
from tests.projects.corpus import truth

# What tests/system leaves to do.


@pytest.mark.parametrize(("runner", "reverse"), [("django", False), ("pytest", True)])
def test_with_isolation_on_only_brittle_tests_fail(corpus, runner, reverse):
    assert_only_brittle_tests_fail(corpus, runner, reverse=reverse)


def test_what_functions_remember_fails_with_isolation_on_in_the_reverse_order(corpus):
    assert_what_functions_remember_fails(corpus, "django")


def test_with_isolation_off_nothing_fails_in_the_usual_order(corpus):
    assert failed_in(corpus, "django", isolation="off") == set()


def test_with_isolation_off_many_fail_in_the_reverse_order(corpus):
    assert_many_fail(corpus, "pytest")


@pytest.mark.parametrize("kind", truth.SERVERS)
def test_brute_force_finds_what_is_planted_on_servers(corpus, kind, request):
    server = request.getfixturevalue(f"{kind}_server")
    variable = {truth.SERVERS[kind]: server.location}
    done = corpus.python("brute_force.py", f"shop.test_{kind}", **variable)
    assert done.code == 0, done.out + done.err


# All of them are 40,200 ordered pairs: five minutes, by calling the script itself.
def test_brute_force_finds_what_is_planted_and_nothing_else(corpus):
    labels = ("shop.test_keys", "shop.test_looking", "shop.test_classes")
    done = corpus.python("brute_force.py", "--runner", "django", *labels)
    assert done.code == 0, done.out + done.err
