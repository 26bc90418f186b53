"""State by its name: resolved without running anything, kept, and put back."""

import os

import pytest
from django.conf import settings as django_settings

from ci_cache_isolation.state.comparing import MISSING
from ci_cache_isolation.state.places import Place, WrongPlaceError, merged
from ci_cache_isolation.state.splitting import split
from tests.unit.state import kept
from tests.unit.state.test_look import CHANGES

OWN = kept.__name__


@pytest.mark.parametrize("name", CHANGES)
def test_a_name_that_a_look_gives_puts_back_what_changed(changes, name):
    change, path, _ = CHANGES[name]
    place = Place(f"{OWN}.{path}")
    before = place.keep()
    change()
    assert changes()
    place.put_back(before)
    assert list(changes()) == []


@pytest.mark.parametrize(
    ("name", "change", "ask"),
    [
        (
            "os.environ['REGION']",
            lambda: os.environ.update(REGION="a"),
            lambda: os.environ.get("REGION"),
        ),
        (
            "settings.REGION",
            lambda: setattr(django_settings, "REGION", "a"),
            lambda: getattr(django_settings, "REGION", None),
        ),
        (
            "settings",
            lambda: setattr(django_settings, "REGION", "a"),
            lambda: getattr(django_settings, "REGION", None),
        ),
        ("os.getcwd()", lambda: os.chdir("/"), os.getcwd),
        (
            OWN,
            lambda: setattr(kept, "limit", 7),
            lambda: kept.limit,
        ),
    ],
)
def test_names_of_what_is_no_attribute(name, change, ask):
    kept.limit = 5
    place, was = Place(name), ask()
    before = place.keep()
    change()
    assert ask() != was
    place.put_back(before)
    assert ask() == was


def test_another_object_in_its_place_gives_way_to_the_first(changes):
    place, first = Place(f"{OWN}.rates"), kept.rates
    before = place.keep()
    kept.rates["USD"] = 2
    kept.rates = {}
    place.put_back(before)
    assert kept.rates is first
    assert kept.rates == {"EUR": 1}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (f"{OWN}.rate", f"{OWN} has no 'rate'. The nearest is {OWN}.rates"),
        (
            f"{OWN}.Card.limt",
            f"{OWN}.Card has no 'limt'. The nearest is {OWN}.Card.limit",
        ),
        (f"{OWN}.card.other.name", f"{OWN}.card has no 'other'"),
        (f"{OWN}.nothing_like_it", f"{OWN} has no 'nothing_like_it'"),
        (f"{OWN}.names[7]", f"{OWN}.names has no 7"),
        ("no_such_module.a", "no module 'no_such_module' can be imported (No module"),
        ("settings.SECRET_KEYS", "has no 'SECRET_KEYS'. The nearest is "),
        ("a b", "'a b' is no name of a place in a process"),
        ("print('a')", "\"print('a')\" is no name of a place in a process"),
        (f"{OWN}.rates[limit]", "is no name of a place in a process"),
        ("", "'' is no name of a place in a process"),
        ("1 + 1", "is no name of a place in a process"),
        ("(" * 500, "is no name of a place in a process"),
    ],
)
def test_a_wrong_name_is_an_error_that_names_the_nearest(name, text):
    with pytest.raises(WrongPlaceError) as caught:
        Place(name)
    assert text in str(caught.value)


def test_an_attribute_that_code_sets_later_is_no_error(changes):
    place = Place(f"{OWN}.engine")
    before = place.keep()
    assert before.value is MISSING
    kept.initialise()
    place.put_back(before)
    assert not hasattr(kept, "engine")


def test_a_place_whose_holder_is_gone_is_left_alone(changes):
    place = Place(f"{OWN}.nested['a']['b']")
    before = place.keep()
    gone = kept.nested.pop("a")
    place.put_back(before)
    assert kept.nested == {}
    kept.nested["a"] = gone


def test_what_a_wider_scope_did_is_carried_into_what_was_put_aside(changes):
    place = Place(f"{OWN}.rates")
    was = place.keep()
    kept.rates["USD"] = 2
    inner = place.keep()
    place.put_back(was)
    kept.rates["GBP"] = 3
    place.put_back(merged(inner, was, place.keep()))
    assert kept.rates == {"EUR": 1, "USD": 2, "GBP": 3}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a.b, c.d", ["a.b", "c.d"]),
        ("a.b\nc.d\n", ["a.b", "c.d"]),
        ("a.b['x, y'], c.d[('e', 1)]", ["a.b['x, y']", "c.d[('e', 1)]"]),
        ("a.b['it\"s, so']", ["a.b['it\"s, so']"]),
        ("os.getcwd(),a", ["os.getcwd()", "a"]),
        (" , \n", []),
    ],
)
def test_names_in_one_text(text, names):
    assert split(text) == names
