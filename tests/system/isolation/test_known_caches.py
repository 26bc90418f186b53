"""What Django and others keep in a process starts anew where that is asked for."""

import re

import pytest

from tests.known_caches import SETTINGS, module_of

IMPORTS = """
    from django.contrib.contenttypes.models import ContentType
    from django.contrib.sites.models import Site
    from django.template import engines
    from django.template.loader import get_template
    from django.urls import get_resolver
    from django.utils.translation import trans_real
    from rest_framework.settings import api_settings

    @functools.lru_cache
    def remembered():
        return 1

    def loader():
        return engines["django"].engine.template_loaders[0]
"""
CHECKS = {
    "content-types": (
        "TestCase",
        "self.assertNumQueries(1, ContentType.objects.get_for_model, Site)",
    ),
    "memoised": (
        "SimpleTestCase",
        "assert remembered.cache_info().currsize == 0; remembered()",
    ),
    "rest-framework": (
        "SimpleTestCase",
        "assert api_settings.PAGE_SIZE is None; api_settings.PAGE_SIZE = 5",
    ),
    "sites": (
        "TestCase",
        "self.assertNumQueries(1, Site.objects.get_current)",
    ),
    "templates": (
        "SimpleTestCase",
        "assert not loader().get_template_cache; get_template('a.html')",
    ),
    "translations": (
        "SimpleTestCase",
        "assert 'de' not in trans_real._translations; trans_real.translation('de')",
    ),
    # It is the same for all from the first test on.
    "urls": ("SimpleTestCase", "assert get_resolver()._populated"),
}
FAILED = r"^FAIL: test_(\w) \(test_known\.(\w+)Tests\."


@pytest.fixture
def kept(project):
    project.write("test_known", module_of(CHECKS, IMPORTS))
    project.write("urls", "urlpatterns = []")
    project.write("settings", SETTINGS % (None, ""))
    return project


def failed(done):
    return set(re.findall(FAILED, done.stderr, re.MULTILINE))


def test_all_of_it_is_met_by_the_next_test_where_nothing_is_asked_for(kept):
    done = kept.manage("test", "test_known")
    assert failed(done) == {
        ("a", "Urls"),
        ("b", "Urls"),
        *(("b", name.title().replace("-", "")) for name in CHECKS if name != "urls"),
    }


@pytest.mark.parametrize("known", ["on", True, list(CHECKS)])
def test_all_of_it_starts_anew_where_it_is_asked_for(kept, known):
    kept.write("settings", SETTINGS % (known, ""))
    done = kept.manage("test", "test_known")
    assert done.returncode == 0, done.stderr
    done = kept.pytest("test_known.py")
    assert done.returncode == 0, done.stdout


def test_only_what_is_named_does(kept):
    done = kept.manage("test", "test_known", CI_CACHE_ISOLATION_KNOWN="sites,urls")
    assert {name for _, name in failed(done)} == {
        "ContentTypes", "Memoised", "RestFramework", "Templates", "Translations",
    }  # fmt: skip
    done = kept.pytest("-o", "cache_isolation_known=on", "test_known.py")
    assert done.returncode == 0, done.stdout
    kept.write("settings", SETTINGS % ("on", ""))
    done = kept.manage("test", "test_known", CI_CACHE_ISOLATION_KNOWN="off")
    assert len(failed(done)) == len(CHECKS) + 1


def test_a_name_that_is_not_known_is_refused_with_those_that_are(kept):
    done = kept.manage("test", CI_CACHE_ISOLATION_KNOWN="site")
    assert done.returncode != 0
    assert (
        "ci-cache-isolation: environment CI_CACHE_ISOLATION_KNOWN names 'site', and no "
        "cache of a package is known by that name"
    ) in done.stderr
    assert "Write 'on' for all, or some of: cacheops, constance," in done.stderr
    done = kept.run(
        "-m", "ci_cache_isolation", "doctor", CI_CACHE_ISOLATION_KNOWN="sites"
    )
    assert "known: sites (environment CI_CACHE_ISOLATION_KNOWN)" in done.stdout
