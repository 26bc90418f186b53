"""One line switches isolation on: isolate()."""

import os

from ci_cache_isolation.settings import isolate

SECRET_KEY = "not a secret"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "leaks"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
ROOT_URLCONF = "kinds.urls"
STATIC_URL = "static/"
USE_TZ = True
MIDDLEWARE = []
if "KINDS_ENABLED" in os.environ:
    CACHE_ISOLATION = {"enabled": os.environ["KINDS_ENABLED"]}
CACHES = isolate(
    {
        "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
        "second": {
            "BACKEND": "leaks.backends.PrivateLocMemCache",
            "LOCATION": "second",
            "KEY_PREFIX": "second",
            "VERSION": 7,
        },
    }
)
