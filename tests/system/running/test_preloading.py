"""What caches import when they are first used is there before a process forks."""

import subprocess
import sys

import pytest

SCRIPT = """
import sys
from django.conf import settings
settings.configure(
    CACHES={{
        "missing": {{"BACKEND": "no.such.Cache"}},
        "broken": {{}},
        "default": {{"BACKEND": {backend!r}, "LOCATION": "redis://192.0.2.1:1"}},
    }}
)
import django
django.setup()
from django.core.cache import caches
from ci_cache_isolation.running.inside.preloading import import_cache_clients
before = {client!r} in sys.modules
import_cache_clients()
print(before, {client!r} in sys.modules, caches.all(initialized_only=True))
"""


@pytest.mark.fresh_interpreter("what is imported when is its subject")
@pytest.mark.parametrize(
    ("backend", "client"),
    [
        ("django.core.cache.backends.redis.RedisCache", "redis"),
        ("django.core.cache.backends.memcached.PyMemcacheCache", "pymemcache"),
        ("django.core.cache.backends.memcached.PyLibMCCache", "pylibmc"),
        ("django_redis.cache.RedisCache", "redis"),
        ("django_valkey.cache.ValkeyCache", "valkey"),
    ],
)
def test_the_client_of_a_server_is_imported_and_no_cache_is_opened(backend, client):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(backend=backend, client=client)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "False True []\n", done.stderr
