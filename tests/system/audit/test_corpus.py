"""The project whose leaks are known: it is as its truth.toml says."""

import re

import pytest

from tests.commands import copied
from tests.projects.corpus import truth

RUNS = {
    "django": ("manage.py", "test"),
    "pytest": ("-m", "pytest", "-q", "--no-header"),
}
runners = pytest.mark.parametrize("runner", truth.RUNNERS)


@pytest.fixture
def corpus(tmp_path):
    return copied("corpus", tmp_path)


def run(corpus, runner, *, reverse=False, isolation="on", reset="off"):
    """Run all tests; return what failed, by the runner's own ids."""
    options = ("--reverse",) if reverse and runner == "django" else ()
    variables = {"CORPUS_REVERSE": "1"} if reverse else {}
    done = corpus.python(
        *RUNS[runner],
        *options,
        CI_CACHE_ISOLATION=isolation,
        CI_CACHE_ISOLATION_RESET_MEMOISED=reset,
        **variables,
    )
    assert done.code in (0, 1), done.out + done.err
    pattern = {
        "django": r"^(?:FAIL|ERROR): \w+ \(([\w.]+)\)",
        "pytest": r"^(?:FAILED|ERROR) (\S+)",
    }[runner]
    return set(re.findall(pattern, done.out + done.err, re.MULTILINE))


@runners
@pytest.mark.parametrize("reverse", [False, True])
def test_with_isolation_on_only_brittle_tests_fail(corpus, runner, reverse):
    failed = run(corpus, runner, reverse=reverse, reset="on")
    assert failed == truth.brittle(runner)


@runners
def test_what_functions_remember_fails_with_isolation_on_in_the_reverse_order(
    corpus, runner
):
    remembered = {
        name for leak in truth.leaks(runner) if leak.function for name in leak.victims
    }
    failed = run(corpus, runner, reverse=True)
    assert len(failed & remembered) > len(remembered) / 2
    assert failed <= remembered | truth.brittle(runner)


@runners
def test_with_isolation_off_nothing_fails_in_the_usual_order(corpus, runner):
    assert run(corpus, runner, isolation="off") == set()


@runners
def test_with_isolation_off_many_fail_in_the_reverse_order(corpus, runner):
    failed = run(corpus, runner, reverse=True, isolation="off")
    victims = {name for leak in truth.leaks(runner) for name in leak.victims}
    assert len(failed) > len(victims) / 2
    assert failed <= victims


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


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", truth.SERVERS)
def test_brute_force_finds_what_is_planted_on_servers(corpus, kind, request):
    server = request.getfixturevalue(f"{kind}_server")
    variable = {truth.SERVERS[kind]: server.location}
    done = corpus.python("brute_force.py", f"shop.test_{kind}", **variable)
    assert done.code == 0, done.out + done.err


# All of them are 40,200 ordered pairs: five minutes, by calling the script itself.
@pytest.mark.exhaustive
def test_brute_force_finds_what_is_planted_and_nothing_else(corpus):
    labels = ("shop.test_keys", "shop.test_looking", "shop.test_classes")
    done = corpus.python("brute_force.py", "--runner", "django", *labels)
    assert done.code == 0, done.out + done.err
