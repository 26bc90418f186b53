"""What the user is told, once, and never inside a test."""

import pytest

TEXT = (
    "Cache 'foreign' is not isolated: its backend foreign.ForeignCache does not make "
    "its keys by make_key() or key_func(). Tests and processes meet each other's "
    "entries in it. Have it call make_key(), or use LocMemCache for it in your test "
    "settings."
)
SETTINGS = """
    from ci_cache_isolation.settings import isolate

    CACHES = isolate(
        {
            "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
            "dummy": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
            "foreign": {"BACKEND": "foreign.ForeignCache"},
        }
    )
"""
FOREIGN = """
    from django.core.cache.backends.base import BaseCache

    class ForeignCache(BaseCache):
        def __init__(self, name, params):
            super().__init__(params)
            self.entries = {}

        def set(self, key, value, timeout=None, version=None):
            self.entries[key] = value
"""
TESTS = """
    import unittest, warnings
    from django.core.cache import caches

    class Tests(unittest.TestCase):
        def test_one(self):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                caches["foreign"].set("key", 1)
                caches["dummy"].set("key", 1)
            self.assertEqual(caught, [])

        test_two = test_one

    class OtherTests(Tests):
        pass
"""
RUN_WITH_PYTEST = ("-q", "-k", "test_", "--override-ini=python_files=tests.py")


@pytest.fixture
def foreign_project(project):
    project.write("settings", SETTINGS)
    project.write("foreign", FOREIGN)
    project.write("tests", TESTS)
    return project


@pytest.mark.parametrize("options", [(), ("-W", "error::UserWarning")])
def test_unittest_is_told_once_of_what_it_used_and_cannot_be_isolated(
    foreign_project, options
):
    done = foreign_project.run(*options, "-m", "django", "test")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("CacheIsolationWarning: ") == 1
    assert f"CacheIsolationWarning: {TEXT}\n" in done.stderr
    plain = foreign_project.run(
        *options, "-m", "django", "test", CI_CACHE_ISOLATION="off"
    )
    assert plain.returncode == 0
    assert "CacheIsolationWarning" not in plain.stderr


@pytest.mark.parametrize("options", [("-W", "error"), ("-n2",)], ids=["error", "xdist"])
def test_pytest_is_told_once_of_what_it_used_and_cannot_be_isolated(
    foreign_project, options
):
    done = foreign_project.pytest(*RUN_WITH_PYTEST, *options)
    assert done.returncode == 0, done.stdout
    assert "4 passed" in done.stdout
    assert done.stdout.count("CacheIsolationWarning") == 1
    assert f"\nCacheIsolationWarning: {TEXT}\n" in done.stdout


def test_pytest_is_told_nothing_where_isolation_is_off(foreign_project):
    plain = foreign_project.pytest(*RUN_WITH_PYTEST, "--no-cache-isolation")
    assert plain.returncode == 0, plain.stdout
    assert "CacheIsolationWarning" not in plain.stdout


def test_an_alias_that_was_open_before_isolation_is_not_forgotten(foreign_project):
    # As a models module does it, which the runner's door comes after.
    said = foreign_project.python(
        """
        import sys, unittest, warnings
        from django.core.cache import caches
        from django.conf import settings
        settings.configure(
            CACHES={
                "default": {"BACKEND": "is_not.there"},
                "foreign": {"BACKEND": "foreign.ForeignCache"},
            }
        )
        held = caches["foreign"]
        from ci_cache_isolation import install
        install()

        class Tests(unittest.TestCase):
            def test_one(self):
                held.set("key", 1)

        with warnings.catch_warnings(record=True) as caught:
            unittest.TestSuite([Tests("test_one")]).run(unittest.TestResult())
        for each in caught:
            print(each.message)
        """
    )
    assert said == f"{TEXT}\n"


def test_a_subclass_of_the_memory_cache_that_stores_otherwise_is_told(project):
    project.write(
        "settings",
        """
        from ci_cache_isolation.settings import isolate
        CACHES = isolate({"default": {"BACKEND": "own.OwnCache"}})
        """,
    )
    project.write(
        "own",
        """
        from django.core.cache.backends.locmem import LocMemCache

        class OwnCache(LocMemCache):
            def __init__(self, name, params):
                super().__init__(name, params)
                self._cache = None
                self.own = {}

            def set(self, key, value, timeout=None, version=None):
                self.own[key] = value
        """,
    )
    project.write(
        "tests",
        """
        import unittest
        from django.core.cache import cache

        class Tests(unittest.TestCase):
            def test_one(self):
                cache.set("key", 1)
        """,
    )
    done = project.manage("test")
    assert done.returncode == 0, done.stderr
    assert "CacheIsolationWarning: Cache 'default' is not isolated" in done.stderr
