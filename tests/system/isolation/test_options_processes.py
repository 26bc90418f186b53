"""Who says whether caches are isolated, and in which words."""

import pytest

from ci_cache_isolation.isolation.environment import ENABLED_VARIABLE


@pytest.fixture(autouse=True)
def nobody_says_anything(monkeypatch, settings):
    for name in ("", "_SCOPE", "_RESET_MEMOISED", "_SERVER", "_STORES"):
        monkeypatch.delenv(f"{ENABLED_VARIABLE}{name}", raising=False)
    settings.CACHE_ISOLATION = {}


@pytest.mark.fresh_interpreter("whether anybody loads settings is what is asked")
def test_settings_that_are_not_configured_are_not_asked(project):
    said = project.python(
        """
        from ci_cache_isolation.isolation.options import enabled
        from django.conf import settings
        print(enabled(), settings.configured)
        """
    )
    assert said == "on (default) False\n"
