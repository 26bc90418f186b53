"""Caches of packages by name: what is chosen, and what goes wrong in one of them."""

import sys
from types import ModuleType

import pytest

from ci_cache_isolation.errors import OptionError
from ci_cache_isolation.isolation import known, notices
from ci_cache_isolation.isolation.known import KNOWN, Known
from ci_cache_isolation.isolation.options import Choice


@pytest.fixture
def package(monkeypatch):
    """A package that is loaded, and what is known of it."""
    module = ModuleType("a_package")
    module.kept = {}
    monkeypatch.setitem(sys.modules, "a_package", module)
    monkeypatch.setattr(notices, "_kept", {})

    def known_as(name, **values):
        monkeypatch.setitem(KNOWN, name, Known("a_package", **values))
        known.fill.cache_clear()
        return module

    return known_as


def names(*chosen):
    return [each.value for each in known.chosen([Choice(c, "here") for c in chosen])]


def test_a_word_stands_for_all_or_none():
    assert names("on") == names("yes") == list(KNOWN)
    assert names("off") == names("0") == names() == []
    assert names("sites", "urls") == ["sites", "urls"]


def test_an_unknown_name_is_refused():
    with pytest.raises(OptionError, match=r"^here names 'sight', and no cache of a"):
        names("sites", "sight")


def test_what_fails_is_said_once_and_fails_nobody(package):
    def fail(module):
        raise ValueError(module.__name__)

    package("failing", clear=fail, fill=fail, places=("a_package.gone",))
    forget = known.forgetting(["failing", "urls"])
    forget()
    forget()
    known.fill("failing")
    assert list(known.places([Choice("failing", "here")])) == []
    said = notices.take()
    assert [text.partition(":")[0] for text in said] == [
        "What failing remembers could not be cleared",
        "What failing remembers could not be filled",
        "What failing remembers could not be put back",
    ]
    assert "ValueError: a_package" in said[0]
    assert "a_package has no 'gone'" in said[2]


def test_it_is_at_work_where_its_package_is_loaded(package):
    module = package(
        "working",
        clear=lambda module: module.kept.clear(),
        fill=lambda module: module.kept.update(a=1),
        places=("a_package.kept",),
    )
    known.fill("working")
    known.fill("working")
    assert module.kept == {"a": 1}
    known.forgetting(["working"])()
    assert module.kept == {}
    [place] = known.places([Choice("working", "here")])
    assert (place.value, place.source) == ("a_package.kept", "here")
    del sys.modules["a_package"]
    assert list(known.places([Choice("working", "here")])) == []
    known.forgetting(["working"])()
    assert notices.take() == []


def test_nothing_forgets_where_nothing_has_to():
    assert known.forgetting([]) is None
    assert known.forgetting(["urls"]) is None
