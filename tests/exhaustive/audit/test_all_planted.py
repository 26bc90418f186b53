"""``cache-isolation audit`` finds all that is planted, in any order, by any workers."""

import pytest

from tests.audits import (
    CALLERS,
    HANGING,
    assert_is_as_planted,
    assert_keys_are_hashed,
    audited,
    conflicting,
    found_in,
    planted,
)
from tests.commands import copied
from tests.projects.corpus import truth

# Each runner with each order, and each of both with one worker and with four.
RUNS = {
    "django": {
        "usual": [],
        "reverse": ["--processes", "4", "--", "--reverse"],
        "shuffled": ["--", "--shuffle", "1"],
    },
    "pytest": {
        "usual": ["--processes", "4"],
        "reverse": ["--", "-p", "no:randomly"],
        "shuffled": ["--", "-p", "randomly", "--randomly-seed=1"],
    },
}
ORDERS = ("usual", "reverse", "shuffled")


@pytest.fixture(scope="module")
def audit_of(tmp_path_factory):
    """Return the audit of a runner in an order, made when it is first asked for."""
    made = {}

    def of(runner, order):
        if (runner, order) not in made:
            project = copied("corpus", tmp_path_factory.mktemp(f"{runner}-{order}"))
            reverse = {"CORPUS_REVERSE": "1"} if order == "reverse" else {}
            options = RUNS[runner][order]
            audit = audited(project, "--runner", runner, *options, **reverse)
            made[runner, order] = audit.report
        return made[runner, order]

    return of


def in_groups(*values):
    """Return parameters for each runner, all of one runner for one worker."""
    return [
        pytest.param(runner, *value, marks=pytest.mark.xdist_group(f"planted-{runner}"))
        for runner in truth.RUNNERS
        for value in values
    ]


@pytest.mark.parametrize(("runner", "order"), in_groups(*zip(ORDERS)))
def test_all_that_is_planted_is_found_and_nothing_else(audit_of, runner, order):
    assert_is_as_planted(audit_of(runner, order), planted(runner))


@pytest.mark.parametrize(("runner", "order"), in_groups(("reverse",), ("shuffled",)))
def test_the_order_of_the_audited_run_makes_no_difference(audit_of, runner, order):
    found = [carriers(audit_of(runner, each)) for each in ("usual", order)]
    assert found[0] == found[1]
    assert {pair for pair, _ in found[0]} == planted(runner).keys()


def carriers(report):
    """Return the pairs of a report, each with what carries its leak."""
    return {
        (pair, each["state"].get("key", each["state"].get("function")))
        # Of two that are needed together either may be named.
        if len(pair[1]) == 1
        else (pair, None)
        for pair, each in found_in(report).items()
    }


@pytest.mark.parametrize("kind", truth.SERVERS)
def test_what_is_planted_on_servers_is_found_and_nothing_else(
    corpus, kind, request, monkeypatch
):
    server = request.getfixturevalue(f"{kind}_server")
    monkeypatch.setenv(truth.SERVERS[kind], server.location)
    labels = [f"shop.test_{kind}"]
    report = audited(corpus, "--runner", "django", *labels).report
    assert_is_as_planted(report, planted("django", labels))
    for each in truth.harmless("django"):
        if each.name in {"redis-found-is-its-own", "redis-search-elsewhere"}:
            assert not conflicting(report, each.left_by, each.seen_by)


@pytest.mark.parametrize("asked", [["--hash-keys"], []])
def test_keys_are_hashed_where_it_is_asked_for(corpus, asked):
    assert_keys_are_hashed(
        corpus,
        *asked,
        CI_CACHE_ISOLATION_HASH_KEYS=None if asked else "on",
        PYTHONWARNINGS="always",
    )


def test_a_function_that_many_tests_mind_is_found_for_all_of_them(corpus):
    (corpus.folder / "shop" / "test_callers.py").write_text(
        f"MINDING = range(16)\n{CALLERS}"
    )
    audit = audited(corpus, "--runner", "django", "shop.test_callers")
    test = "shop.test_callers.CallerTests.test_"
    assert found_in(audit.report).keys() == {
        (f"{test}{number:02}", frozenset({f"{test}07_in_a_mall"}))
        for number in range(16)
    }
    for finding in audit.report["findings"]:
        assert finding["state"]["function"] == "shop.test_callers.shop_name"
        assert finding["isolation_cures"] is False
    assert "Isolation does not cure any of them: functions remember" in audit.out


def test_a_test_that_hangs_after_another_is_a_leak_and_ends(corpus):
    (corpus.folder / "shop" / "test_hangs.py").write_text(HANGING)
    [finding] = audited(corpus, "--runner", "django", "shop.test_hangs").report[
        "findings"
    ]
    assert finding["test"].endswith("test_b_waits_for_it")
    assert "no end within" in finding["message"]
    assert finding["replay"] is None
