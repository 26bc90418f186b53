"""Django's settings for this repository's own run of pytest."""

SECRET_KEY = "not a secret"
USE_TZ = True
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "second": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "second",
    },
    "dummy": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
}
