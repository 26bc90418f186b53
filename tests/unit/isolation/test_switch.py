"""The one switch of a process, and the ids of its sections."""

import sys
import unittest

import pytest
from django.core.cache import CacheHandler, InvalidCacheBackendError, cache, caches
from django.core.cache.backends.locmem import LocMemCache
from django.test import override_settings

import ci_cache_isolation
from ci_cache_isolation import current_section, install, isolated
from ci_cache_isolation.errors import OptionError
from ci_cache_isolation.isolation import switch
from ci_cache_isolation.isolation.environment import ENABLED_VARIABLE, Enabled
from ci_cache_isolation.isolation.options import IsolateArguments
from ci_cache_isolation.isolation.process_state import STATE
from ci_cache_isolation.isolation.scopes import Scope, ScopeKind
from ci_cache_isolation.isolation.switch import STACK

TEST = Scope(ScopeKind.TEST, "app.tests.Tests.test")
LOCMEM = "django.core.cache.backends.locmem.LocMemCache"
HOOKED = (
    "_tearDownPreviousClass",
    "_handleModuleFixture",
    "_handleModuleTearDown",
    "_handleClassSetUp",
)


def methods():
    """Return what isolation replaces in Django and in unittest."""
    return [CacheHandler.create_connection] + [
        getattr(unittest.TestSuite, name) for name in HOOKED
    ]


class ForeignCache:
    """A backend of no kind that isolation knows."""

    def __init__(self, name, params):
        self.name = name


def test_the_public_names_are_the_ones_of_the_contract():
    assert ci_cache_isolation.__all__ == [
        "IsolatedCacheMixin",
        "current_section",
        "install",
        "isolated",
        "not_isolated",
        "shared_with_children",
    ]
    assert all(hasattr(ci_cache_isolation, name) for name in ci_cache_isolation.__all__)


def test_another_name_is_no_attribute_of_the_package():
    name = "is_not_there"
    with pytest.raises(AttributeError) as caught:
        getattr(ci_cache_isolation, name)
    assert str(caught.value) == (
        "module 'ci_cache_isolation' has no attribute 'is_not_there'"
    )


def test_installing_hooks_django_and_unittest(off):
    plain = methods()
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv(ENABLED_VARIABLE, "on")
        assert install() == Enabled(value=True, source="environment CI_CACHE_ISOLATION")
        assert switch.is_installed()
        assert all(
            hooked is not method
            for hooked, method in zip(methods(), plain, strict=True)
        )
    switch.uninstall()
    assert not switch.is_installed()
    assert methods() == plain


def test_installing_again_changes_nothing():
    install()
    hooked, path, number = methods(), STACK.path, STACK.number
    assert install() == install()
    assert methods() == hooked
    assert (STACK.path, STACK.number) == (path, number)


def test_installing_where_isolation_is_off_does_nothing(off):
    plain = methods()
    assert install() == Enabled(value=False, source="environment CI_CACHE_ISOLATION")
    assert not switch.is_installed()
    assert methods() == plain


def test_a_word_that_means_nothing_is_an_error_and_changes_nothing(monkeypatch):
    hooked = methods()
    monkeypatch.setenv(ENABLED_VARIABLE, "perhaps")
    with pytest.raises(OptionError, match="'perhaps', which is neither on nor off"):
        install()
    assert methods() == hooked
    assert switch.is_installed()


def test_uninstalling_closes_what_is_open(off, new_cache):
    opened = new_cache()
    opened.set("outside", 1)
    STACK.begin(TEST)
    opened.set("inside", 1)
    switch.uninstall()
    assert STACK.path == ()
    assert opened.get_many(["outside", "inside"]) == {"outside": 1}


def test_a_section_keeps_its_id_until_its_scope_ends():
    outer = current_section()
    with isolated():
        inner = current_section()
        cache.set("key", 1)
        cache.clear()
        assert current_section() == inner
        assert current_section("second") == inner
    assert current_section() == outer
    assert outer != inner


def test_an_outer_section_has_its_id_back_after_a_visit():
    with isolated():
        inner, depth = current_section(), len(STACK.path)
        with STACK.at(depth - 1):
            outer = current_section()
        assert current_section() == inner
    assert outer == current_section()


SECTIONS = set()


@pytest.mark.parametrize("number", range(3))
def test_every_test_has_a_section_of_its_own(number):
    section = current_section()
    assert section not in SECTIONS
    SECTIONS.add(section)


def test_there_is_no_section_outside_of_all_scopes():
    with STACK.at(0):
        assert current_section() is None


def test_there_is_no_section_where_isolation_is_off(isolation):
    with isolated():
        assert (current_section() is not None) is isolation


def test_a_cache_that_keeps_nothing_has_no_section():
    with isolated():
        assert current_section("dummy") is None


def test_a_cache_that_cannot_be_isolated_has_no_section():
    backend = f"{__name__}.ForeignCache"
    with override_settings(CACHES={"default": {"BACKEND": backend}}), isolated():
        assert current_section() is None


def test_an_unknown_alias_fails_as_django_fails():
    with pytest.raises(InvalidCacheBackendError) as theirs:
        caches["unknown"]
    with pytest.raises(InvalidCacheBackendError) as ours:
        current_section("unknown")
    assert str(ours.value) == str(theirs.value)


def test_a_backend_that_is_not_there_fails_as_django_fails():
    with override_settings(CACHES={"default": {"BACKEND": "is_not.there"}}):
        with pytest.raises(InvalidCacheBackendError) as theirs:
            caches["default"]
        with pytest.raises(InvalidCacheBackendError) as ours:
            current_section()
    assert str(ours.value) == str(theirs.value)


def test_asking_for_a_section_opens_no_alias(monkeypatch):
    opened, configured = [], {"default": {"BACKEND": LOCMEM, "LOCATION": "unopened"}}
    monkeypatch.setattr(LocMemCache, "__init__", lambda *args: opened.append(args))
    with override_settings(CACHES=configured):
        assert current_section()
        assert caches.all(initialized_only=True) == []
    assert opened == []


def calls_of(work):
    """Return how many functions of Python are called."""
    calls = []
    sys.setprofile(lambda frame, event, _: event == "call" and calls.append(frame))
    try:
        work()
    finally:
        sys.setprofile(None)
    return len(calls)


def test_options_are_resolved_once_for_all_blocks(monkeypatch):
    def enter():
        with isolated():
            pass

    enter()
    monkeypatch.setattr(switch, "choices", None)
    enter()

    def open_scope():
        with STACK.opened(Scope(ScopeKind.BLOCK, "isolated")):
            pass

    with override_settings(CACHE_ISOLATION={"scope": "test"}):
        monkeypatch.undo()
        enter()
        # To look whether anything was said since costs no more than the scope itself.
        assert calls_of(enter) <= 3 * calls_of(open_scope)


def test_what_options_say_holds_from_the_next_block_on(monkeypatch):
    def granularity():
        install()
        return STACK.granularity.value

    def has_section():
        before = current_section()
        with isolated():
            return current_section() != before

    configured, stores = {"scope": "test"}, {"default": "memory"}
    assert granularity() == "test"
    with override_settings(CACHE_ISOLATION={"scope": "class"}):
        assert granularity() == "class"
        monkeypatch.setenv("CI_CACHE_ISOLATION_SCOPE", "process")
        assert granularity() == "process"
        monkeypatch.delenv("CI_CACHE_ISOLATION_SCOPE")
        assert granularity() == "class"
    assert granularity() == "test"
    with override_settings(CACHE_ISOLATION=configured):
        assert granularity() == "test"
        configured["scope"] = "class"
        assert granularity() == "class"
        configured["scope"] = "test"
        configured["stores"] = stores
        assert has_section()
        stores["default"] = "none"
        install()
        assert switch.chosen().stores["default"].value == "none"
    monkeypatch.setattr(STATE, "inputs", STATE.inputs)
    switch.ask(IsolateArguments(stores=stores))
    install()
    assert switch.chosen().stores["default"].value == "none"
    stores["default"] = "memory"
    install()
    assert switch.chosen().stores["default"].value == "memory"
    monkeypatch.undo()
    install()
    assert switch.chosen().stores == {}


def test_a_word_that_means_nothing_is_an_error_each_time(monkeypatch):
    monkeypatch.setenv(ENABLED_VARIABLE, "perhaps")
    for _ in range(2):
        with pytest.raises(OptionError):
            install()
