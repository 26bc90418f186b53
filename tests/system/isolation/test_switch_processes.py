"""The one switch of a process, and the ids of its sections."""

import pytest


@pytest.mark.fresh_interpreter("what an import imports is what is asked")
def test_importing_the_package_loads_no_settings_and_changes_nothing(project):
    said = project.python(
        """
        import sys, unittest
        from django.conf import settings
        from django.core.cache import CacheHandler
        before = vars(CacheHandler).copy(), vars(unittest.TestSuite).copy()
        from ci_cache_isolation import (
            IsolatedCacheMixin, current_section, install, isolated
        )
        after = vars(CacheHandler).copy(), vars(unittest.TestSuite).copy()
        print(settings.configured, before == after)
        print(sorted(name for name in sys.modules if name.startswith("django.test")))
        """,
        DJANGO_SETTINGS_MODULE="is_not_there",
    )
    assert said == "False True\n[]\n"


def test_installing_where_isolation_was_turned_off_uninstalls(project):
    said = project.python(
        """
        from ci_cache_isolation import install
        from ci_cache_isolation.isolation.switch import is_installed
        print(install(), is_installed())
        print(install(command_line=False), is_installed())
        """
    )
    assert said == "on (default) True\noff (command line) False\n"


def test_a_command_line_binds_whoever_installs_later(project):
    said = project.python(
        """
        from ci_cache_isolation import install, isolated
        from ci_cache_isolation.isolation.switch import is_installed
        from django.core.cache import cache
        install(command_line=False)
        with isolated():
            cache.set("key", 1)
        print(cache.get("key"), install(), is_installed())
        """
    )
    assert said == "1 off (command line) False\n"


def test_a_command_line_that_says_on_is_not_undone_by_the_environment(project):
    said = project.python(
        """
        from ci_cache_isolation import install, isolated
        from ci_cache_isolation.isolation.switch import is_installed
        from django.core.cache import cache
        install(command_line=True)
        with isolated():
            cache.set("key", 1)
        print(cache.get("key"), install(), is_installed())
        """,
        CI_CACHE_ISOLATION="off",
    )
    assert said == "None on (command line) True\n"


def test_an_ini_file_binds_whoever_installs_later(project):
    said = project.python(
        """
        from ci_cache_isolation import install
        install(ini="off")
        print(install())
        """
    )
    assert said == "off (ini cache_isolation_enabled)\n"


def test_caches_opened_before_are_isolated_too(project):
    said = project.python(
        """
        from django.core.cache import caches
        held = caches["default"]
        from ci_cache_isolation import isolated
        with isolated():
            held.set("key", 1)
            print(caches["default"].get("key"))
        print(held.get("key"))
        """
    )
    assert said == "1\nNone\n"
