"""What code of others remembers on objects, and what is no such thing."""

import functools
import sys
import types

import pytest
from django.utils.functional import cached_property

from ci_cache_isolation.state.lazy import is_remembered_by_others
from tests.unit.state import kept


class Regex:
    """A descriptor that puts what it returns in its own place."""

    def __get__(self, instance, owner=None):
        return self


def plain(self):
    return self


MEMBERS = {
    "python": functools.cached_property(plain),
    "django": cached_property(plain),
    "regex": Regex(),
    "method": plain,
    "class_method": classmethod(plain),
    "property": property(plain),
    "attribute": 1,
}


def object_of(module):
    return type("Options", (), {**MEMBERS, "__module__": module})()


@pytest.mark.parametrize("name", MEMBERS)
def test_cached_properties_of_others_are_told_from_methods(name):
    expected = name in {"python", "django", "regex"}
    assert is_remembered_by_others(object_of("django.db"), name) is expected


def test_those_of_the_project_may_be_leaks(monkeypatch):
    assert not is_remembered_by_others(object_of(kept.__name__), "python")
    # A module that somebody made, and one that is gone.
    monkeypatch.setitem(sys.modules, "made", types.ModuleType("made"))
    assert is_remembered_by_others(object_of("made"), "python")
    assert is_remembered_by_others(object_of("gone"), "python")


def test_nobodys_code_is_asked():
    hostile = kept.of_hostile_class
    assert not is_remembered_by_others(hostile, "owner")
    assert not is_remembered_by_others(kept.Hostile, "owner")
    assert not is_remembered_by_others(object_of("django.db"), 1)
