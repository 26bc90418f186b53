"""Isolated against plain: what differs, and whether in more than words."""

import pytest

from ci_cache_isolation.probing.comparing import Difference, differences
from ci_cache_isolation.probing.outcomes import Outcome

GET = "get('a')"
ONE = Outcome(GET, "1")


def test_what_is_alike_is_no_difference():
    assert differences("", [ONE, ONE], [ONE, ONE]) == []


def test_what_differs_is_shown_with_its_place():
    found = differences("in test 2", [ONE], [Outcome(GET, "None")])
    assert found == [Difference("in test 2", GET, "1", "None")]
    assert str(found[0]) == "in test 2: get('a') gives 1, plainly None"


def test_a_call_that_was_not_made_is_a_difference():
    assert [each.call for each in differences("", [ONE], [])] == [GET]
    assert [each.isolated for each in differences("", [], [ONE])] == [
        "no such call was made"
    ]


@pytest.mark.parametrize(
    ("isolated", "is_of_words"),
    [
        (Outcome(GET, error="ValueError: Key 'x:a' not found"), True),
        (Outcome(GET, error="KeyError: Key 'a' not found"), False),
        (Outcome(GET, error="ValueError: Key 'a' not found", warnings=("W",)), True),
        (Outcome(GET, "None"), False),
    ],
)
def test_the_same_error_in_other_words_is_of_words(isolated, is_of_words):
    plain = Outcome(GET, error="ValueError: Key 'a' not found")
    assert [each.is_of_words for each in differences("", [isolated], [plain])] == [
        is_of_words
    ]


@pytest.mark.parametrize(
    ("isolated", "plain", "is_alike"),
    [(30, 27, True), (30, 20, False), (30_000, 28_000, True), (30_000, 20_000, False)],
)
def test_what_is_left_of_a_time_may_differ_by_a_little(isolated, plain, is_alike):
    one, other = (Outcome("ttl('a')", about=about) for about in (isolated, plain))
    assert (differences("", [one], [other]) == []) is is_alike


def test_a_time_is_not_like_a_value():
    assert differences("", [Outcome(GET, about=1.0)], [ONE])
