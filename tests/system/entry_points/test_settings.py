"""The entry point for settings modules."""

from collections import OrderedDict
from types import MappingProxyType

import pytest

from ci_cache_isolation.isolation import switch
from ci_cache_isolation.settings import isolate

SETTINGS = """
    from ci_cache_isolation.settings import isolate
    CACHES = isolate(
        {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    )
"""
TESTS = """
    import unittest
    from django.core.cache import cache

    class Tests(unittest.TestCase):
        def test_one(self):
            self.assertTrue(cache.add("key", 1))

        test_two = test_one
"""
NOT_A_SWITCH = (
    "ci-cache-isolation: environment CI_CACHE_ISOLATION is 'perhaps', which is neither "
    "on nor off. Isolation must not be guessed: what you test would depend on it. Set "
    "it to 'on' or 'off', or leave it out.\n"
)


@pytest.fixture
def said():
    """What `isolate` is told holds for the whole process: have that forgotten."""
    before = switch.kept()
    yield
    switch.put_back(before)


@pytest.mark.usefixtures("said")
@pytest.mark.parametrize(
    "caches",
    [{}, {"default": {"BACKEND": "x"}}, OrderedDict(a={}), MappingProxyType({"a": {}})],
    ids=repr,
)
def test_caches_come_back_as_the_object_they_were(caches):
    before = dict(caches)
    assert isolate(caches) is caches
    assert dict(caches) == before


@pytest.mark.parametrize("wrong", [None, "default", ["default"], {"default"}, 1])
def test_what_is_no_dictionary_of_caches_is_refused(wrong):
    with pytest.raises(TypeError) as caught:
        isolate(wrong)
    assert str(caught.value) == (
        f"isolate() was given {wrong!r}, which is not a dictionary of caches. "
        "Write CACHES = isolate(CACHES), below the definition of CACHES."
    )


def test_isolation_is_switched_on(off, monkeypatch):
    assert isolate({}) == {}
    assert not switch.is_installed()
    monkeypatch.setenv("CI_CACHE_ISOLATION", "on")
    isolate({})
    assert switch.is_installed()


@pytest.mark.fresh_interpreter("isolate() runs before anything of Django's")
def test_settings_switch_isolation_on_for_any_runner(project):
    project.write("settings", SETTINGS)
    project.write("tests", TESTS)
    done = project.manage("test")
    assert done.returncode == 0, done.stderr
    leaking = project.manage("test", CI_CACHE_ISOLATION="off")
    assert leaking.returncode == 1
    assert "FAILED (failures=1)" in leaking.stderr


def test_settings_may_say_off(project):
    project.write("settings", SETTINGS, 'CACHE_ISOLATION = {"enabled": False}\n')
    project.write("tests", TESTS)
    leaking = project.manage("test")
    assert leaking.returncode == 1
    assert "FAILED (failures=1)" in leaking.stderr
    done = project.manage("test", CI_CACHE_ISOLATION="on")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", ["check", "test"])
def test_a_word_that_means_nothing_ends_a_command_with_one_message(project, command):
    project.write("settings", SETTINGS)
    done = project.manage(command, CI_CACHE_ISOLATION="perhaps")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", NOT_A_SWITCH)


@pytest.mark.fresh_interpreter("what it imports is looked at")
def test_settings_import_nothing_of_djangos_tests(project):
    project.write("settings", SETTINGS)
    said = project.python(
        """
        import sys
        import settings
        print(sorted(name for name in sys.modules if name.startswith("django.test")))
        """
    )
    assert said == "[]\n"


def test_nothing_is_isolated_outside_of_tests(project):
    project.write("settings", SETTINGS)
    said = project.python(
        """
        import django
        from django.core.cache import cache
        from ci_cache_isolation import current_section
        django.setup()
        cache.set("key", 1)
        print(cache.get("key"), current_section())
        """
    )
    assert said == "1 None\n"


def test_a_run_with_an_option_that_cannot_be_followed_ends_with_a_message(project):
    project.write("settings", SETTINGS)
    project.write(
        "test_one",
        """
        from django.test import SimpleTestCase

        class Tests(SimpleTestCase):
            def test_one(self):
                raise AssertionError
        """,
    )
    done = project.manage("test", CI_CACHE_ISOLATION_STORES="locks=none")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    said = "CI_CACHE_ISOLATION_STORES names alias 'locks', which is not in CACHES"
    assert f"ci-cache-isolation: environment {said}" in done.stderr
