"""Reports as cards: who is put together, and the sentences that every page shows."""

import pytest

from ci_cache_isolation.report.cards import cards, unjudged
from ci_cache_isolation.report.counts import cured
from tests.unit.report.test_markdown import CHANCE, STRESS, VICTIM

REMEMBERED = VICTIM | {
    "state": {
        "kind": "memoised",
        "function": "shop.offers.best",
        "how": "stored",
        "written_at": "shop/offers.py:30",
        "written_from": "shop/tests.py:5",
        "read_at": "shop/offers.py:30",
        "read_from": "shop/tests.py:9",
    },
    "proof": {"alone": "0/5", "after": "5/5", "isolated": "5/5", "reset": "0/5"},
    "isolation_cures": False,
}


def one(finding, **changed):
    [card] = cards([finding | changed])
    return card


def test_the_lines_of_the_tests_stand_behind_those_that_they_call():
    card = one(REMEMBERED)
    assert card.carrier == (
        "shop.offers.best() remembers (functools.lru_cache, shop/offers.py:30)"
    )
    assert card.places == [
        ("stored at", "shop/offers.py:30, called at shop/tests.py:5"),
        ("read at", "shop/offers.py:30, called at shop/tests.py:9"),
    ]


def test_what_an_audit_calls_one_cause_is_one_card_and_each_test_has_its_title():
    brittle = VICTIM | {"test": "other", "verdict": "brittle", "after": [["x"]]}
    one_cause = [VICTIM | {"cause": 1}, brittle | {"cause": 1}, CHANCE | {"cause": 2}]
    first, second = cards(one_cause)
    assert [title for _, title in first.titles] == [
        "victim, passes alone and fails after others",
        "brittle, fails alone and passes after others",
    ]
    assert second.tests == [CHANCE["test"]]


@pytest.mark.parametrize(
    ("finding", "proof"),
    [
        (VICTIM, "failed alone 0/5, after 5/5, isolated 0/5: isolation cures it"),
        (
            REMEMBERED,
            (
                "failed alone 0/5, after 5/5, isolated 5/5, memoised functions reset "
                "0/5: isolation does not cure it"
            ),
        ),
        (
            VICTIM | {"verdict": "self-polluting"},
            "failed alone 0/5, after itself 5/5, isolated 0/5: isolation cures it",
        ),
        (
            VICTIM | {"verdict": "cross-process"},
            "failed alone 0/5, beside others 5/5, isolated 0/5: isolation cures it",
        ),
        (
            VICTIM | {"verdict": "broken", "proof": {"alone": "5/5"}},
            "failed alone 5/5, and in every order",
        ),
        (
            VICTIM
            | {"verdict": "brittle", "isolation_cures": False}
            | {"proof": {"alone": "5/5", "after": "0/5", "isolated": "0/5"}},
            # That it passes isolated too is no cure.
            (
                "failed alone 5/5, after 0/5, isolated 0/5: no cache carries what it "
                "needs"
            ),
        ),
        (
            VICTIM
            | {"verdict": "brittle", "isolation_cures": False}
            | {"proof": {"alone": "5/5", "after": "0/5", "isolated": "5/5"}},
            "failed alone 5/5, after 0/5, isolated 5/5: a cache carries what it needs",
        ),
        (
            CHANCE,
            (
                "failed alone 2/5; in the same order again 3 of 5 times: the order "
                "does not decide it"
            ),
        ),
    ],
)
def test_how_often_it_failed_and_how(finding, proof):
    assert one(finding).proof == proof


def test_an_order_that_nobody_could_be_left_out_of_is_counted():
    card = one(VICTIM, after=[], order=7, verdict="brittle")
    assert card.order == (
        "passes after 6 tests in an order that shows it every time; none of them does "
        "it alone"
    )
    assert one(VICTIM, order=2).order == ""
    assert one(CHANCE, order=7).order == ""


def test_the_surest_and_the_largest_come_first():
    found = [
        CHANCE,
        VICTIM | {"test": "a", "after": [["x"]]},
        VICTIM | {"test": "b", "after": [["y"]]},
        VICTIM | {"test": "c", "after": [["y"]]},
        VICTIM | {"test": "d", "verdict": "broken"},
    ]
    assert [card.tests for card in cards(found)] == [
        ["b", "c"],
        ["a"],
        ["d"],
        [CHANCE["test"]],
    ]


def test_who_was_not_judged_is_named_with_runs_and_what_it_said():
    runs = [
        {"index": 0, "name": "forward", "messages": {}},
        {"index": 4, "name": "random 7", "messages": {"t": "KeyError: 'a'"}},
    ]
    failures = [{"test": "t", "flaky": True, "failed_in": [4], "passed_in": [0]}]
    document = STRESS | {"runs": runs, "failures": failures, "findings": []}
    [found] = unjudged(document)
    assert (found.test, found.text) == ("t", "failed in 1 of 2 runs: random 7")
    assert found.message == "KeyError: 'a'"
    assert unjudged(document | {"findings": [VICTIM | {"test": "t"}]}) == []


@pytest.mark.parametrize(
    ("findings", "said"),
    [
        (
            [REMEMBERED],
            (
                "It is what functions remember: call cache_clear() in the tests' "
                "set-up, or set reset_memoised."
            ),
        ),
        ([REMEMBERED, VICTIM], "1 of them is what functions remember: call"),
        ([REMEMBERED, REMEMBERED, VICTIM], "2 of them are what functions remember:"),
    ],
)
def test_what_functions_remember_has_a_cure_of_its_own(findings, said):
    assert said in cured(STRESS | {"findings": findings})
    assert "functions remember" not in cured(STRESS | {"findings": [VICTIM]})
