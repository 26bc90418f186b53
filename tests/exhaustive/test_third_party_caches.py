"""``doctor --probe`` on backends from PyPI: which promises are kept, and which not."""

from pathlib import Path

import pytest

from tests.packages import installed_in
from tests.probes import backend, probed, project_with

# All caches are probed once.
pytestmark = pytest.mark.xdist_group("third-party caches")
REQUIREMENTS = [
    *("action0-django-acache>=0.1", "django-bmemcached>=0.3", "django-cachex==0.3"),
    *("django-cache-fallback>=0.4", "django-lrucache-backend>=4", "lru-dict>=1.3"),
    *("django-prometheus>=2.5", "prometheus-client>=0.7", "django-pymemcache>=1"),
    *("django-redis-cache>=3", "django-sqlite-file-cache>=0.6", "django-vcache>=3.2"),
    *(
        "ormsgpack>=1.4",
        "pyzstd>=0.16,<0.18",
        "python-binary-memcached>=0.33",
        "six>=1.16",
    ),
    "uhashring>=2.3",
]
PROMETHEUS = "django_prometheus.cache.backends"
BROKEN = {
    # Hashes, lists and sets of a class are not seen in its tests; some make no key.
    "cachex": {"extras", "said"},
    # Its client is told to expect no answers, and names a key in each of its errors.
    "pymemcache": {"left", "words"},
    # Its lock() makes no key, which is said.
    "redis-cache": {"said"},
}
"""By alias, the promises that may be broken."""


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """A folder with the backends, for PYTHONPATH."""
    return installed_in(tmp_path_factory.mktemp("packages"), REQUIREMENTS)


def caches_on(folder, redis, valkey, memcached):
    """Return settings by alias. Two are what the fallback hands on to."""
    return {
        "default": {"BACKEND": "cache_fallback.FallbackCache"},
        "main_cache": backend("redis.RedisCache", redis),
        "fallback_cache": backend("locmem.LocMemCache", "fallback"),
        "acache": on("action0.django_acache.backend.RedisCache", redis),
        "bmemcached": on("django_bmemcached.memcached.BMemcached", memcached),
        "cachex": on("django_cachex.cache.RedisCache", redis),
        "lru": on("lrucache_backend.LRUObjectCache", "lru"),
        "prometheus-django": on(f"{PROMETHEUS}.redis.NativeRedisCache", redis),
        "prometheus-files": on(f"{PROMETHEUS}.filebased.FileBasedCache", folder / "p"),
        "prometheus-pylibmc": on(f"{PROMETHEUS}.memcached.PyLibMCCache", memcached),
        "prometheus-redis": on(f"{PROMETHEUS}.redis.RedisCache", redis),
        "pymemcache": on("djpymemcache.backend.PyMemcacheCache", memcached),
        "redis-cache": on("redis_cache.RedisCache", redis),
        "sqlite-file": on("django_sqlite_file_cache.SQLiteFileCache", folder / "s"),
        "vcache": on("django_vcache.backend.ValkeyCache", valkey),
    }


def on(backend, location):
    return {"BACKEND": backend, "LOCATION": str(location)}


ALIASES = caches_on(Path(), "", "", "")


@pytest.fixture(scope="module")
def found(tmp_path_factory, packages, redis_server, valkey_server, memcached_server):
    folder = tmp_path_factory.mktemp("third-party")
    servers = (redis_server, valkey_server, memcached_server)
    project_with(folder, caches_on(folder, *(each.location for each in servers)))
    return probed(folder, PYTHONPATH=str(packages))


@pytest.mark.parametrize("alias", ALIASES)
def test_promises_are_kept_but_for_those_that_are_known(found, alias):
    cache = found.cache(alias)
    assert (cache["failure"], cache["left_alone"]) == ("", "")
    assert found.broken(alias).keys() <= BROKEN.get(alias, set()), found.broken(alias)
    assert len(cache["promises"]) >= 20


@pytest.mark.parametrize("alias", BROKEN)
def test_what_is_broken_is_advised_on(found, alias):
    assert bool(found.broken(alias)) == bool(found.cache(alias)["advice"])


def test_what_is_broken_makes_the_command_fail(found):
    assert (found.code, found.errors) == (1, "")
