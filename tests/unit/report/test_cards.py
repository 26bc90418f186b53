"""Reports as cards: who is put together, and the sentences that every page shows."""

import pytest

from ci_cache_isolation.report.cards import Fact, cards, unjudged
from ci_cache_isolation.report.counts import advice, cured
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


def lines(facts):
    return [line for fact in facts for line in fact.lines()]


def names(card):
    return [each.test for each in card.tests]


def test_the_lines_of_the_tests_stand_behind_those_that_they_call():
    card = one(REMEMBERED)
    assert card.carrier == (
        "shop.offers.best() remembers (functools.lru_cache, shop/offers.py:30)"
    )
    assert lines(card.facts)[1:3] == [
        "stored at shop/offers.py:30, called at shop/tests.py:5",
        "read at shop/offers.py:30, called at shop/tests.py:9",
    ]


def test_what_one_change_would_fix_is_one_card_and_each_test_has_its_title():
    brittle = VICTIM | {"test": "other", "verdict": "brittle", "after": [["x"]]}
    first, second = cards([VICTIM, brittle, CHANCE])
    assert [each.title for each in first.tests] == [
        "victim, passes alone and fails after others",
        "brittle, fails alone and passes after others",
    ]
    assert names(second) == [CHANCE["test"]]


def test_what_all_tests_of_a_card_share_is_said_once():
    other = VICTIM | {"test": "other", "message": "KeyError", "after": [["x"]]}
    card = one(VICTIM)
    assert card.tests[0].facts == ()
    [card] = cards([VICTIM, other])
    assert lines(card.tests[1].facts) == ["fails after x", "KeyError"]
    assert lines(card.facts) == [
        "stored at shop/offers.py:13",
        "read at shop/offers.py:21",
        "failed alone 0/5, after 5/5, isolated 0/5: isolation cures it",
        "hidden when shop.tests.C.test_clears runs between",
    ]


def found(test, *after, key="key", alias="default", at="app.py:2"):
    state = VICTIM["state"] | {"key": key, "alias": alias, "written_at": at}
    return VICTIM | {"test": test, "after": [[each] for each in after], "state": state}


def test_one_polluter_and_its_line_are_one_cause_whatever_the_keys():
    [card] = cards([found(f"v{n}", "a", key="xyz"[n]) for n in range(3)])
    assert card.carrier == "'x' and 2 more in cache 'default'"


def test_one_line_and_keys_of_one_pattern_are_one_cause_whoever_pollutes():
    [card] = cards(
        [found("v1", "a", key="user:1"), found("v2", "a", "b", key="user:2")]
    )
    assert card.carrier == "'user:<n>' (2 keys) in cache 'default'"
    assert lines(card.tests[1].facts) == ["fails after a", "fails after b"]


def test_another_line_alias_or_pattern_is_another_cause():
    findings = [
        found("v1", "a", key="user:1"),
        found("v2", "b", key="user:1", at="app.py:9"),
        found("v3", "c", key="user:1", alias="other"),
        found("v4", "d", key="team:1"),
    ]
    assert list(map(names, cards(findings))) == [["v1"], ["v2"], ["v3"], ["v4"]]


def test_what_joins_two_causes_makes_them_one_and_most_victims_come_first():
    findings = [
        found("else", "z", key="other"),
        found("v1", "a", key="user:1"),
        found("v2", "b", key="team:1"),
        found("v3", "b", key="user:2"),
    ]
    assert list(map(names, cards(findings))) == [["v1", "v2", "v3"], ["else"]]


def test_where_it_is_not_known_what_carries_it_what_they_share_is_named():
    card = one(REMEMBERED, state=None, suspected=REMEMBERED["state"])
    assert card.carrier == (
        "shop.offers.best() remembers (functools.lru_cache, shop/offers.py:30), or "
        "something else that these tests have in common"
    )
    assert one(REMEMBERED, state=None).carrier == ""


def test_what_expires_soon_is_marked():
    card = one(VICTIM, state=VICTIM["state"] | {"expires_in": 19.98})
    assert (
        "expires 20 s after that test: whether another one meets it is a matter of "
        "time" in lines(card.facts)
    )


def test_of_many_names_the_first_are_shown():
    fact = Fact("hidden when", tuple("abcdefg"), "runs between")
    assert fact.lines()[4:] == [
        "hidden when e runs between",
        "and 2 more, see the report",
    ]


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
    assert proof in lines(one(finding).facts)


def test_an_order_that_nobody_could_be_left_out_of_is_counted():
    card = one(VICTIM, after=[], order=7, verdict="brittle")
    assert lines(card.facts)[0] == (
        "passes after 6 tests in an order that shows it every time; none of them does "
        "it alone"
    )
    for other in (one(VICTIM, order=2), one(CHANCE, order=7)):
        assert "in an order" not in "".join(lines(other.facts))


def test_the_surest_and_the_largest_come_first():
    findings = [
        CHANCE,
        found("a", "x", at="app.py:1"),
        found("b", "y", at="app.py:2"),
        found("c", "y", at="app.py:2"),
        VICTIM | {"test": "d", "verdict": "broken", "state": None},
    ]
    assert list(map(names, cards(findings))) == [
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


BRITTLE = VICTIM | {"verdict": "brittle", "isolation_cures": False}


@pytest.mark.parametrize(
    ("findings", "said"),
    [
        (
            [REMEMBERED],
            (
                "Isolation does not cure it: functions remember what decides. Call "
                "cache_clear() in the tests' set-up, or set reset_memoised."
            ),
        ),
        ([REMEMBERED, VICTIM], "Isolation does not cure 1 of them: functions remember"),
        ([REMEMBERED, REMEMBERED], "Isolation does not cure any of them: functions"),
        (
            [BRITTLE],
            (
                "It fails, isolated or not, without what another test leaves: let it "
                "set that up."
            ),
        ),
        (
            [BRITTLE, BRITTLE, VICTIM],
            (
                "2 of them fail, isolated or not, without what another test leaves: "
                "let them set that up."
            ),
        ),
    ],
)
@pytest.mark.parametrize("command", ["audit", "stress"])
def test_each_kind_has_a_cure_of_its_own(command, findings, said):
    texts = cured(STRESS | {"command": command, "findings": findings})
    assert any(text.startswith(said) for text in texts)
    # That a brittle test passes after others is no cache's doing for certain.
    assert not any(text.startswith("No cache carries") for text in texts)
    assert "functions remember" not in str(cured(STRESS | {"findings": [VICTIM]}))


def test_what_was_not_tried_is_not_said_to_be_no_caches():
    [text] = cured(STRESS | {"findings": [VICTIM | {"isolation_cures": None}]})
    assert text == "What runs before or beside it decides about 1 test."


def test_conflicts_that_changed_nothing_or_were_not_tried_are_counted():
    conflicts = [{"result": each} for each in ("harmless", "harmless", "untested")]
    assert advice(STRESS | {"findings": [], "conflicts": conflicts}) == [
        (
            "2 conflicts changed no outcome: listed in the report, and harmless as far "
            "as the tests tell."
        ),
        (
            "1 conflict was not put to the test, or not apart from others: listed in "
            "the report."
        ),
    ]
