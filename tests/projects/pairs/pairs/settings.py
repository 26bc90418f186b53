"""Caches of every kind; the environment says which server and which database."""

import json
import os

SECRET_KEY = "not a secret"
INSTALLED_APPS = ["leaks"]
DATABASES = {
    "default": json.loads(os.environ.get("PAIRS_DATABASE", "null"))
    or {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"},
    **json.loads(os.environ.get("PAIRS_DATABASES", "{}")),
}
ROOT_URLCONF = "pairs.urls"
STATIC_URL = "static/"
LOCMEM = "django.core.cache.backends.locmem.LocMemCache"
CACHES = {
    "default": {"BACKEND": LOCMEM},
    "files": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": "cache-files",
    },
    "table": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "cache_table",
    },
    "server": {
        "BACKEND": os.environ.get("PAIRS_BACKEND", LOCMEM),
        "LOCATION": os.environ.get("PAIRS_LOCATION", "server"),
    },
}
USE_TZ = True
