"""Settings for the tests: everything in memory, and caches isolated."""

from ci_cache_isolation.settings import isolate

from .base import *

CACHES = isolate(CACHES)
{%- if cookiecutter.runner == "django" %}
TEST_RUNNER = "ci_cache_isolation.runner.IsolatedRunner"
{%- endif %}

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": ":memory:",
    },
}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
