"""What came of a call is text, the same whenever it is the same to a user."""

import json
from collections import OrderedDict, deque

import pytest

from ci_cache_isolation.probing.outcomes import Outcome, said, shown
from ci_cache_isolation.probing.steps import Number, digits

TOKEN = "p12345-"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "None"),
        (1, "1"),
        (True, "True"),
        ("text", "'text'"),
        (b"\x00", r"b'\x00'"),
        ({"b": 1, "a": [2]}, "{'a': [2], 'b': 1}"),
        ({3, 1, 2}, "{1, 2, 3}"),
        (("a", 1), "('a', 1)"),
        (OrderedDict(a=1), "OrderedDict({'a': 1})"),
        (iter([2, 1]), "list_iterator({1, 2})"),
        (deque([1]), "deque([1])"),
        (object(), "<builtins.object>"),
        (f"{TOKEN}a", "'a'"),
        ([f"{TOKEN}b", f"{TOKEN}a"], "['a', 'b']"),
        (["b", "a"], "['b', 'a']"),
        (Number(7).under(TOKEN), "7"),
    ],
)
def test_values_are_shown_without_what_is_random(value, expected):
    assert shown(value, TOKEN) == expected


def test_no_code_of_a_value_runs():
    class Hostile:
        def __repr__(self):
            raise AssertionError("called")

        __eq__ = __hash__ = __len__ = __repr__

    assert shown(Hostile(), TOKEN).endswith(".Hostile>")


def test_texts_lose_tokens_addresses_and_passwords():
    text = f"Key ':1:{TOKEN}a' ({digits(TOKEN)}1) of redis://:hush@host at 0x7f0012ab"
    assert said(text, TOKEN) == "Key ':1:a' (1) of redis://:***@host at 0x…"


def test_long_texts_are_cut():
    assert said("x" * 1000, "") == f"{'x' * 200}… (1000 characters)"


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Outcome("get('a')", "1"), "1"),
        (Outcome("get('a')", error="ValueError: no"), "ValueError: no"),
        (Outcome("get('a')", "1", warnings=("W: one",)), "1, and W: one"),
        (Outcome("ttl('a')", about=30.0), "about 30"),
        (Outcome("8 threads at once"), "no error"),
    ],
)
def test_an_outcome_is_shown_as_what_came_of_it(outcome, expected):
    assert str(outcome) == expected


def test_an_outcome_goes_through_a_pipe():
    made = Outcome("get('a')", "1", "E: e", ("W: w", "W: v"), 2.5)
    assert Outcome.from_json(json.loads(json.dumps(made.to_json()))) == made
