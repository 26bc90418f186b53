"""What packages from PyPI keep in a process starts anew where that is asked for."""

import re

import pytest

from tests.known_caches import SETTINGS, module_of
from tests.packages import installed_in

REQUIREMENTS = (
    *("django-cacheops>=7.2", "funcy>=2", "django-constance>=4.3"),
    *("edx-django-utils>=8", "sorl-thumbnail>=13", "django-crum>=0.7"),
)
IMPORTS = """
    import cacheops.query
    from constance.backends.memory import MemoryBackend
    from django.core.files.storage import default_storage
    from edx_django_utils.cache.utils import RequestCache
    from sorl.thumbnail.images import get_or_create_storage

    def sizes():
        return get_or_create_storage.cache_info().currsize
"""
CHECKS = {
    "cacheops": (
        "SimpleTestCase",
        "kept = cacheops.query._local_get_cache; assert not kept; kept['a'] = 1",
    ),
    "constance": (
        "SimpleTestCase",
        "assert MemoryBackend().get('a') is None; MemoryBackend._storage['a'] = 1",
    ),
    "request-cache": (
        "SimpleTestCase",
        "kept = RequestCache(); assert not kept.data; kept.set('a', 1)",
    ),
    "sorl": ("SimpleTestCase", "assert not sizes(); get_or_create_storage('default')"),
}
FAILED = r"^FAIL: test_(\w) \(\S+\.(\w+)Tests\."


@pytest.fixture
def kept(project, tmp_path):
    folder = installed_in(tmp_path / "packages", REQUIREMENTS)
    project.own["PYTHONPATH"] = str(folder)
    project.write("test_known", module_of(CHECKS, IMPORTS))
    project.write("urls", "urlpatterns = []")
    project.write("settings", SETTINGS % (None, '"constance"'))
    project.write(
        "settings", 'CONSTANCE_BACKEND = "constance.backends.memory.MemoryBackend"\n'
    )
    project.write(
        "settings", 'CONSTANCE_CONFIG = {}\nCACHEOPS_REDIS = "redis://none"\n'
    )
    return project


def test_each_of_them_leaks_and_starts_anew_where_it_is_asked_for(kept):
    done = kept.manage("test", "test_known")
    failed = re.findall(FAILED, done.stderr, re.MULTILINE)
    names = [name.title().replace("-", "") for name in CHECKS]
    assert sorted(failed) == sorted(("b", name) for name in names), done.stderr
    done = kept.manage("test", "test_known", CI_CACHE_ISOLATION_KNOWN="on")
    assert done.returncode == 0, done.stderr
    done = kept.pytest("test_known.py", CI_CACHE_ISOLATION_KNOWN="on")
    assert done.returncode == 0, done.stdout
