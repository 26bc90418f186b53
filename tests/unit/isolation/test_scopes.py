"""Scopes and paths."""

import functools

from hypothesis import given
from hypothesis import strategies as st

from ci_cache_isolation.isolation.scopes import (
    Scope,
    ScopeKind,
    dotted_name,
    shared_length,
)

PATHS = st.lists(
    st.builds(Scope, st.sampled_from(ScopeKind), st.sampled_from("ab")), max_size=4
).map(tuple)


class Outer:
    class Inner:
        def method(self):
            """Do nothing: it is only named."""


def test_scopes_with_one_kind_and_name_are_equal_whatever_their_function():
    one = Scope(ScopeKind.TEST, "app.Tests.test", "app.Tests.test")
    inherited = Scope(ScopeKind.TEST, "app.Tests.test", "app.Base.test")
    assert one == inherited
    assert hash(one) == hash(inherited)


def test_scopes_that_differ_in_kind_or_in_name_are_not_equal():
    scope = Scope(ScopeKind.CLASS, "app.Tests")
    assert scope != Scope(ScopeKind.MODULE, "app.Tests")
    assert scope != Scope(ScopeKind.CLASS, "app.OtherTests")


@given(left=PATHS, right=PATHS)
def test_the_shared_length_is_the_longest_equal_beginning(left, right):
    length = shared_length(left, right)
    assert left[:length] == right[:length]
    assert length == min(len(left), len(right)) or left[length] != right[length]


@given(path=PATHS, more=PATHS)
def test_a_path_shares_all_of_itself_with_what_continues_it(path, more):
    assert shared_length(path, path + more) == len(path)
    assert shared_length(path + more, path) == len(path)


def test_a_class_and_a_method_are_named_as_unittest_names_them():
    assert dotted_name(Outer.Inner) == f"{__name__}.Outer.Inner"
    assert dotted_name(Outer.Inner.method) == f"{__name__}.Outer.Inner.method"


def test_a_function_keeps_its_name_under_a_decorator():
    @functools.wraps(Outer.Inner.method)
    def wrapper():
        """Do nothing: it is only named."""

    assert dotted_name(wrapper) == f"{__name__}.Outer.Inner.method"


def test_an_object_without_a_name_is_named_by_its_type():
    partial = functools.partial(print)
    assert dotted_name(partial).endswith(".partial")
    assert dotted_name(None) == "None.NoneType"
