"""As small as settings can be; nothing switches isolation on but the command."""

import os

SECRET_KEY = "not a secret"
INSTALLED_APPS = []
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": "small.sqlite3",
        # A test database in a file is one that all runs would share.
        "TEST": {"NAME": os.environ.get("SMALL_TEST_DATABASE"), "MIGRATE": False},
    }
}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
USE_TZ = True
