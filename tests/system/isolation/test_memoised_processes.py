"""The project's memoised functions, and having them forget."""

import pytest

from ci_cache_isolation.isolation.memoised import MemoisedFunctions


@pytest.fixture
def functions():
    return MemoisedFunctions()


TESTS = """
    import functools
    import unittest
    from django.conf import settings
    from django.test import SimpleTestCase, override_settings

    @functools.lru_cache
    def secret():
        return settings.SECRET_KEY

    class Tests(SimpleTestCase):
        @override_settings(SECRET_KEY="another")
        def test_a(self):
            assert secret() == "another"

        def test_b(self):
            assert secret() == "not a secret"
"""
ISOLATED = """
    from ci_cache_isolation.settings import isolate
    CACHES = isolate(
        {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
        reset_memoised=%r,
    )
"""


@pytest.mark.parametrize(("value", "code"), [(True, 0), (False, 1), (None, 1)])
def test_what_a_test_had_a_function_remember_is_gone_where_it_is_asked_for(
    project, value, code
):
    project.write("settings", ISOLATED % value)
    project.write("test_secret", TESTS)
    done = project.manage("test")
    assert done.returncode == code, done.stderr
    assert ("failures=1" in done.stderr) == bool(code)


@pytest.mark.parametrize(("word", "code"), [("on", 0), ("off", 1), ("", 1)])
def test_the_same_under_pytest(project, word, code):
    project.write("test_secret", TESTS)
    option = f"cache_isolation_reset_memoised={word}"
    done = project.pytest("-o", option)
    assert done.returncode == code, done.stdout


def test_the_environment_says_it_too_and_a_word_that_is_neither_ends_the_run(project):
    project.write("test_secret", TESTS)
    done = project.pytest(CI_CACHE_ISOLATION_RESET_MEMOISED="on")
    assert done.returncode == 0, done.stdout
    done = project.pytest(CI_CACHE_ISOLATION_RESET_MEMOISED="maybe")
    assert done.returncode == 4
    assert (
        "environment CI_CACHE_ISOLATION_RESET_MEMOISED is 'maybe', which is neither on "
        "nor off. Whether functions forget must not be guessed"
    ) in done.stderr


def test_tests_that_share_a_section_share_what_is_remembered(project):
    project.write("test_secret", TESTS)
    done = project.pytest(
        CI_CACHE_ISOLATION_RESET_MEMOISED="on", CI_CACHE_ISOLATION_SCOPE="class"
    )
    assert done.returncode == 1, done.stdout
