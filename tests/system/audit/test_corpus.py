"""The project whose leaks are known: it is as its truth.toml says."""

import re

import pytest

from tests.audits import (
    assert_many_fail,
    assert_only_brittle_tests_fail,
    assert_what_functions_remember_fails,
    failed_in,
    runners,
)
from tests.projects.corpus import truth


@pytest.mark.parametrize(("runner", "reverse"), [("django", True), ("pytest", False)])
def test_with_isolation_on_only_brittle_tests_fail(corpus, runner, reverse):
    assert_only_brittle_tests_fail(corpus, runner, reverse=reverse)


def test_what_functions_remember_fails_with_isolation_on_in_the_reverse_order(corpus):
    assert_what_functions_remember_fails(corpus, "pytest")


def test_with_isolation_off_nothing_fails_in_the_usual_order(corpus):
    assert failed_in(corpus, "pytest", isolation="off") == set()


def test_with_isolation_off_many_fail_in_the_reverse_order(corpus):
    assert_many_fail(corpus, "django")


@runners
def test_there_are_as_many_harmless_look_alikes_as_are_asked_for(runner):
    leaks, harmless = truth.leaks(runner), truth.harmless(runner)
    assert len(leaks) >= 32
    assert len(harmless) >= 32
    for entries in (leaks, harmless):
        names = [entry.name for entry in entries]
        assert len(names) == len(set(names))
    assert {leak.kind for leak in leaks} == {"victim", "brittle"}


@runners
def test_no_pair_is_both_a_leak_and_harmless(runner):
    pairs = truth.changing_pairs(truth.leaks(runner))
    for each in truth.harmless(runner):
        assert not pairs & {(a, b) for a in each.left_by for b in each.seen_by}


def test_only_tests_that_exist_are_named(corpus):
    done = corpus.python("-m", "pytest", "-q", "--collect-only")
    collected = set(re.findall(r"^shop/\S+::\S+$", done.out, re.MULTILINE))
    entries = (*truth.leaks("pytest"), *truth.harmless("pytest"))
    named = set().union(*(entry.tests for entry in entries))
    assert named <= collected


def test_ids_of_pytest_follow_from_djangos():
    assert (
        truth.node_id("shop.test_keys.ReadTests.test_price")
        == "shop/test_keys.py::ReadTests::test_price"
    )
    assert (
        truth.node_id("shop.test_functions_more.test_paint[a.b]")
        == "shop/test_functions_more.py::test_paint[a.b]"
    )


def test_modules_for_servers_define_no_tests_without_them(corpus):
    done = corpus.python("manage.py", "test", "shop.test_redis", "shop.test_memcached")
    assert re.search(r"^Ran 0 tests", done.err, re.MULTILINE)
