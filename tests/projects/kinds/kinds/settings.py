"""One line switches isolation on: isolate()."""

import os

from ci_cache_isolation.settings import isolate
from kinds import stores

SECRET_KEY = "not a secret"
INSTALLED_APPS = ["leaks"]
DATABASES = {"default": stores.DATABASE}
ROOT_URLCONF = "kinds.urls"
STATIC_URL = "static/"
USE_TZ = True
MIDDLEWARE = []
if "KINDS_ENABLED" in os.environ:
    CACHE_ISOLATION = {"enabled": os.environ["KINDS_ENABLED"]}
CACHES = isolate(stores.CACHES, stores=stores.STORES)
