"""What is seen of a process, what it is called, and that it can be put back."""

import decimal
import os
import threading

import pytest
from django.conf import settings as django_settings

from ci_cache_isolation.state.comparing import MISSING
from ci_cache_isolation.state.names import Names
from tests.unit.state import kept


def put(container, key, value):
    container[key] = value


CHANGES = {
    "rates['USD']": (lambda: put(kept.rates, "USD", 2), "rates", "added"),
    "rates['EUR']": (lambda: put(kept.rates, "EUR", 2), "rates", "changed"),
    "ordered['a']": (lambda: kept.ordered.pop("a"), "ordered", "removed"),
    "counted['a']": (lambda: kept.counted.update("a"), "counted", "changed"),
    "grouped['b']": (lambda: kept.grouped["b"], "grouped", "added"),
    "names": (lambda: kept.names.append("b"), "names", "changed"),
    "seen": (lambda: kept.seen.add("b"), "seen", "changed"),
    "latest": (lambda: kept.latest.append("b"), "latest", "changed"),
    "sums": (lambda: kept.sums.append(3), "sums", "changed"),
    "raw": (lambda: kept.raw.extend(b"b"), "raw", "changed"),
    "nested['a']['b']": (
        lambda: kept.nested["a"]["b"].append(2),
        "nested['a']['b']",
        "changed",
    ),
    "limit": (lambda: setattr(kept, "limit", 6), "limit", "changed"),
    "Card.limit": (lambda: setattr(kept.Card, "limit", 6), "Card.limit", "changed"),
    "Card.kinds": (lambda: kept.Card.kinds.append("b"), "Card.kinds", "changed"),
    "card.owner": (lambda: setattr(kept.card, "owner", 1), "card.owner", "changed"),
    "card.limit": (lambda: setattr(kept.card, "limit", 1), "card", "added"),
    "slotted.owner": (
        lambda: delattr(kept.slotted, "owner"),
        "slotted.owner",
        "removed",
    ),
    "slotted.filled": (
        lambda: setattr(kept.slotted, "filled", 1),
        "slotted",
        "added",
    ),
    "own['b']": (lambda: put(kept.own, "b", 1), "own", "added"),
    "own.b": (lambda: setattr(kept.own, "b", 1), "own", "added"),
    "hostile.b": (
        lambda: object.__setattr__(kept.hostile, "b", 1),
        "hostile",
        "added",
    ),
    "OfHostileClass.limit": (
        lambda: type.__setattr__(kept.OfHostileClass, "limit", 6),
        "OfHostileClass.limit",
        "changed",
    ),
    "of_hostile_class.b": (
        lambda: object.__setattr__(kept.of_hostile_class, "b", 6),
        "of_hostile_class",
        "added",
    ),
    "hostile_dict['a']": (
        lambda: dict.__setitem__(kept.hostile_dict, "a", 2),
        "hostile_dict",
        "changed",
    ),
    "local.user": (lambda: setattr(kept.local, "user", 1), "local.user", "changed"),
    "local.name": (lambda: setattr(kept.local, "name", 1), "local.name", "added"),
    "of_thread.user": (
        lambda: setattr(kept.of_thread, "user", 1),
        "of_thread.user",
        "changed",
    ),
    "variable.get()": (lambda: kept.variable.set("b"), "variable.get()", "changed"),
    "lend.calls": (lambda: setattr(kept.lend, "calls", 1), "lend.calls", "changed"),
    "lend.__defaults__[0]": (
        lambda: kept.lend()[0].append("b"),
        "lend.__defaults__[0]",
        "changed",
    ),
    "lend.__kwdefaults__['least']['b']": (
        lambda: put(kept.lend()[1], "b", 1),
        "lend.__kwdefaults__['least']",
        "added",
    ),
    "lend.__defaults__": (
        lambda: setattr(kept.lend, "__defaults__", (["b"],)),
        "lend.__defaults__",
        "changed",
    ),
    "add.__closure__[0].cell_contents": (
        kept.add,
        "add.__closure__[0].cell_contents",
        "changed",
    ),
    "partly.args[0]": (
        lambda: kept.partly.args[0].append("b"),
        "partly.args[0]",
        "changed",
    ),
    "held_by_tuple[0]['b']": (
        lambda: put(kept.held_by_tuple[0], "b", 1),
        "held_by_tuple[0]",
        "added",
    ),
    "engine": (kept.initialise, "engine", "added"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_changes_is_named_and_can_be_put_back(changes, look, name):
    change, path, how = CHANGES[name]
    change()
    found = changes()
    assert list(found) == [name]
    seen, registered = found[name]
    assert (seen.how, registered) == (how, path)
    look.undo([seen])
    assert look.changes(among=[seen.container]) == []
    # At the end it is put back by its mark.
    change()


def test_what_holds_other_objects_and_nothing_else_is_told_apart(look):
    [number] = [n for n, each in enumerate(look.containers) if each.held is kept.rates]
    written = set()
    kept.rates.clear()
    kept.rates[f"EU{chr(82)}"] = 1
    assert look.changes(among=[number], written=written) == []
    assert written == {number}


def test_the_sequence_of_entries_is_put_back_where_one_comes_again(changes, look):
    kept.ordered.pop("a")
    look.undo([changes()["ordered['a']"][0]])
    assert list(kept.ordered) == ["a", "b"]


def test_the_sequence_of_an_ordered_dictionary_is_put_back(changes, look):
    kept.ordered.pop("a")
    look.put_back([(changes()["ordered['a']"][0].container, None)])
    assert list(kept.ordered) == ["a", "b"]
    kept.ordered.move_to_end("a")
    assert list(kept.ordered) == ["b", "a"]
    # Of the same entries in another sequence too, and of attributes it says nothing.
    vars(kept)["limit"] = vars(kept).pop("limit")
    assert list(changes()) == ["ordered"]
    look.put_back([(changes()["ordered"][0].container, None)])
    assert list(kept.ordered) == ["a", "b"]


def test_what_is_as_it_was_is_no_change(changes):
    kept.rates.clear()
    kept.rates[f"EU{chr(82)}"] = 1
    kept.names[:] = ["".join("a")]
    kept.limit = int("5")
    assert list(changes()) == []


def test_a_key_without_a_form_of_its_own_stands_for_all(changes):
    kept.rates[kept.Card] = 1
    (found, path) = changes()["rates[…]"]
    assert found.mark[1] is None
    assert path == "rates"


def test_a_key_that_would_run_code_is_left_alone(changes):
    kept.rates[kept.card] = 1
    assert "rates[…]" in changes()
    key = type("Key", (), {"__hash__": lambda _: 1, "__eq__": lambda *_: True})()
    kept.rates[key] = 1
    assert len([each for each in changes() if each.startswith("rates")]) == 1
    kept.rates.pop(key)
    kept.rates.pop(kept.card, None)


def named(look):
    names = map(Names(look).of, look.changes())
    return {name.text for name in names if name is not None}


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("os.getcwd()", lambda: os.chdir("/")),
        ("os.umask()", lambda: os.umask(0o077)),
        ("decimal.getcontext()", lambda: setattr(decimal.getcontext(), "prec", 3)),
        ("os.environ['REGION']", lambda: put(os.environ, "REGION", "north")),
        ("settings.REGION", lambda: setattr(django_settings, "REGION", 1)),
    ],
)
def test_what_no_module_of_the_project_holds_is_named_too(look, name, change):
    before = named(look)
    assert name not in before
    change()
    found = {Names(look).of(each): each for each in look.changes()}
    [found] = [each for called, each in found.items() if called and called.text == name]
    look.put_back([found.mark])
    assert named(look) <= before
    assert os.environ.get("REGION") is None
    assert not hasattr(django_settings, "REGION")


def test_keys_in_names_can_be_hashed(changes, look):
    kept.rates['it\'s a "secret"'] = kept.nested["secret"] = 1
    kept.nested["a"]["b"].append(2)
    names = Names(look, lambda key: f"#{len(key)}")
    found = {names.of(each) for each, _ in changes().values()}
    own = f"{kept.__name__}."
    assert found == {
        (f"{own}rates[#18]", f"{own}rates"),
        (f"{own}nested[#8]", f"{own}nested"),
        # A place by a key that is not to be seen can't be registered.
        (f"{own}nested[#3][#3]", ""),
    }


def test_a_base_counts_for_what_was_changed_on_purpose(changes, look):
    kept.rates["USD"] = 2
    found = changes()["rates['USD']"][0]
    base = look.held_now([found.container])
    kept.rates["USD"] = 3
    [change] = look.changes(base, [found.container])
    assert (change.before, change.after) == (2, 3)
    look.put_back([change.mark], base)
    assert kept.rates["USD"] == 2


def test_an_object_that_nothing_leads_to_any_more_has_no_name(changes, look):
    inner = kept.nested["a"]
    kept.nested["a"] = {}
    inner["c"] = 1
    # By its binding it is named; what was there hangs on nothing.
    assert "nested['a']" in changes()


def test_a_thread_that_writes_meanwhile_is_nobodys_change(changes):
    is_over = threading.Event()

    def write():
        number = 0
        while not is_over.is_set():
            number += 1
            kept.grouped[number] = []
            kept.grouped.pop(number, None)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for _ in range(3):
            changes()
    finally:
        is_over.set()
        thread.join()


def test_what_was_there_is_told_from_what_was_not(changes):
    kept.rates["USD"] = 2
    change = changes()["rates['USD']"][0]
    assert change.before is MISSING
    assert change.after == 2
