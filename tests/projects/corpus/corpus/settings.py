"""One alias for each kind of store, and two of one LOCATION; a server where given."""

import os
import tempfile

from ci_cache_isolation.settings import isolate

LOCMEM = "django.core.cache.backends.locmem.LocMemCache"
# Gone with the process that made it: what one run leaves is not for the next to find.
if "CORPUS_FILES" not in os.environ:
    FILES = tempfile.TemporaryDirectory(prefix="corpus-files-")
    os.environ["CORPUS_FILES"] = FILES.name

SECRET_KEY = "not a secret"
USE_TZ = True
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.sites",
    "rest_framework",
    "shop",
]
MIDDLEWARE = ["django.contrib.sessions.middleware.SessionMiddleware"]
SESSION_ENGINE = "django.contrib.sessions.backends.cache"
ROOT_URLCONF = "corpus.urls"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": ":memory:",
        # Tables without the history of how they came to be: each run is shorter.
        "TEST": {"MIGRATE": False},
    }
}
TEMPLATES = [
    {"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}
]
SHOP_NAME = "Corner Shop"
SITE_ID = 1
CACHES = {
    "default": {"BACKEND": LOCMEM},
    "second": {"BACKEND": LOCMEM, "LOCATION": "second"},
    "branch": {"BACKEND": LOCMEM, "LOCATION": "branch"},
    "branch-de": {"BACKEND": LOCMEM, "LOCATION": "branch", "KEY_PREFIX": "de"},
    "files": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": os.environ["CORPUS_FILES"],
    },
    "table": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "shop_cache",
    },
    "nothing": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
}
if redis := os.environ.get("CORPUS_REDIS"):
    CACHES["redis"] = {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": redis,
        "KEY_PREFIX": "corpus",
    }
if memcached := os.environ.get("CORPUS_MEMCACHED"):
    CACHES["memcached"] = {
        "BACKEND": "django.core.cache.backends.memcached.PyMemcacheCache",
        "LOCATION": memcached,
        "KEY_PREFIX": "corpus",
    }
CACHES = isolate(CACHES)
