{%- set has_server = cookiecutter.cache_backend in ("redis", "valkey", "memcached") -%}
"""Settings for the tests: each sees in the caches what it put there itself."""
{%- if has_server %}

import os
{%- endif %}

from ci_cache_isolation.settings import isolate

from .base import *
{% if has_server %}
# Where CACHE_URL names no server to share, each process starts one of its own.
STORES = {} if os.environ.get("CACHE_URL") else dict.fromkeys(CACHES, "private-server")
CACHES = isolate(CACHES, stores=STORES)
{%- else %}
CACHES = isolate(CACHES)
{%- endif %}
{%- if cookiecutter.runner == "django" %}
TEST_RUNNER = "ci_cache_isolation.runner.IsolatedRunner"
{%- endif %}

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
