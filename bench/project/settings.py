"""Settings of a project with one memory cache and no database."""

SECRET_KEY = "not a secret"
USE_TZ = True
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
