"""Steps are data: keys behind a token, calls as their users would write them."""

import pytest

from ci_cache_isolation.probing.steps import (
    At,
    Awaited,
    Call,
    Clock,
    InThread,
    Key,
    Number,
    Race,
    RolledBack,
    call,
    digits,
    names_in,
    reads,
)

A, B = Key("a"), Key("b")


def test_a_key_stands_behind_its_token():
    assert A.under("token-") == "token-a"
    assert not A.is_pattern


def test_a_pattern_finds_what_stands_behind_its_token_and_no_more():
    pattern = Key("*", before="*")
    assert pattern.under("token-") == "*token-*"
    assert pattern.is_pattern


def test_a_number_begins_with_the_digits_of_its_token():
    key = Number(12).under("token-")
    assert type(key) is int
    assert str(key) == f"{digits('token-')}12"


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (call("get", A), "get('a')"),
        (call("get", A, version=2), "get('a', version=2)"),
        (call("set_many", {A: 1, B: [2]}, 30), "set_many({'a': 1, 'b': [2]}, 30)"),
        (call("delete_many", [A, Number(3)]), "delete_many(['a', key 3])"),
        (call("expire_at", A, At(30)), "expire_at('a', now + 30)"),
        (call("set", A, "x" * 1000), f"set('a', '{'x' * 39}…)"),
    ],
)
def test_a_call_is_shown_as_a_user_writes_it(made, expected):
    assert str(made) == expected


@pytest.mark.parametrize(
    "step",
    [
        Call("get", (A,), (("default", B),)),
        Awaited(call("set_many", {A: 1, B: 2})),
        InThread((call("get", A), call("get", B))),
        Race(((call("get", A),), (call("get", B),))),
        RolledBack((call("delete_many", [A, B]),)),
        Clock(1.0, (InThread(reads("ab")),)),
    ],
)
def test_all_keys_of_a_step_are_found(step):
    assert set(names_in((step,))) == {A, B}
