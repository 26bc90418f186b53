"""CACHES for every kind of store: KINDS_STORE and KINDS_LOCATION say which, and where.

A name that begins with "private-" asks for a server of each process's own.
"""

import json
import os

BACKENDS = {
    "locmem": "django.core.cache.backends.locmem.LocMemCache",
    "files": "django.core.cache.backends.filebased.FileBasedCache",
    "redis": "django.core.cache.backends.redis.RedisCache",
    "django-redis": "django_redis.cache.RedisCache",
    "django-valkey": "django_valkey.cache.ValkeyCache",
    "pymemcache": "django.core.cache.backends.memcached.PyMemcacheCache",
    "pylibmc": "django.core.cache.backends.memcached.PyLibMCCache",
    "database": "django.core.cache.backends.db.DatabaseCache",
}
ASKED = os.environ.get("KINDS_STORE", "locmem")
STORE = ASKED.removeprefix("private-")
LOCATION = os.environ.get("KINDS_LOCATION", "")
# SimpleTestCase refuses queries, which is nothing that isolation could cure.
ALLOWED = {"default"} if STORE == "database" else set()
HAS_ASYNC = STORE != "django-valkey"
PRIVATE = dict.fromkeys(("default", "second"), "private-server")
STORES = PRIVATE if ASKED != STORE else None

default = {"BACKEND": BACKENDS[STORE], "LOCATION": LOCATION}
if STORE == "locmem":
    second = {"BACKEND": "leaks.backends.PrivateLocMemCache", "LOCATION": "second"}
    other = {**default, "LOCATION": "other"}
else:
    # Several aliases on one server are what people have.
    second = other = default
CACHES = {
    "default": default,
    "second": {**second, "KEY_PREFIX": "second", "VERSION": 7},
}
OTHER = {"default": {**other, "KEY_FUNCTION": "kinds.stores.make_key"}}
DATABASE = json.loads(os.environ.get("KINDS_DATABASE", "null")) or {
    "ENGINE": "django.db.backends.sqlite3",
    "NAME": ":memory:",
}


def make_key(key, prefix, version):
    return f"{version}-{key}"
