"""Two caches in memory and one in files; the environment may name some that are shared.

SHAKEN_REDIS is the URL of a server, SHAKEN_FILES a folder: what other processes use at
the same time. Its databases 0 and 1 are used; a run may empty the second one.
"""

import os
import tempfile
from pathlib import Path

from ci_cache_isolation.settings import isolate

BASE_DIR = Path(__file__).parents[1]
LOCMEM = "django.core.cache.backends.locmem.LocMemCache"
FILE_BASED = "django.core.cache.backends.filebased.FileBasedCache"
REDIS = "django.core.cache.backends.redis.RedisCache"
# Gone with this process: what one run leaves is not for the next to find.
FILES = tempfile.TemporaryDirectory(prefix="shaken-files-")
EXPORTS = tempfile.TemporaryDirectory(prefix="shaken-exports-")

SECRET_KEY = "not a secret"
USE_TZ = True
TIME_ZONE = "UTC"
INSTALLED_APPS = ["django.contrib.sessions", "desk"]
SESSION_ENGINE = "django.contrib.sessions.backends.cache"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": ":memory:",
        # Tables without the history of how they came to be: each run is shorter.
        "TEST": {"MIGRATE": False},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DESK_NAME = "Main Desk"
DESK_FLOOR = 1
CACHES = {
    "default": {"BACKEND": LOCMEM},
    "second": {"BACKEND": LOCMEM, "LOCATION": "second"},
    "files": {"BACKEND": FILE_BASED, "LOCATION": FILES.name},
}
if redis := os.environ.get("SHAKEN_REDIS"):
    CACHES["redis"] = {"BACKEND": REDIS, "LOCATION": redis, "KEY_PREFIX": "shaken"}
    # Apart from the other: here tests say clear(), and mean everybody's entries.
    CACHES["redis-met"] = {"BACKEND": REDIS, "LOCATION": redis, "OPTIONS": {"db": 1}}
if files := os.environ.get("SHAKEN_FILES"):
    CACHES["files-met"] = {"BACKEND": FILE_BASED, "LOCATION": files}
CACHES = isolate(CACHES)
