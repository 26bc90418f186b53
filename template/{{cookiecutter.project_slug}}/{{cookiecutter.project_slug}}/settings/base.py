{%- macro caches(backend, default="CACHE_URL", throttle="CACHE_URL") -%}
{%- set module = "" if backend.startswith("django_valkey") else "django.core.cache.backends." -%}
CACHES = {
    "default": {
        "BACKEND": "{{ module }}{{ backend }}",
        "LOCATION": {{ default }},
    },
    "throttle": {
        "BACKEND": "{{ module }}{{ backend }}",
        "LOCATION": {{ throttle }},
{%- if throttle == "CACHE_URL" %}
        "KEY_PREFIX": "throttle",
{%- endif %}
    },
}
{%- endmacro -%}
"""Settings for development, and where production starts from."""

import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parents[2]

# manage.py check --deploy warns of a key that starts like this one.
SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY", "django-insecure-for-development-only")
DEBUG = os.environ.get("DJANGO_DEBUG") == "1"
ALLOWED_HOSTS = os.environ.get("DJANGO_ALLOWED_HOSTS", "localhost 127.0.0.1").split()

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
{%- if cookiecutter.drf == "yes" %}
    "rest_framework",
{%- endif %}
    "shop",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "{{ cookiecutter.project_slug }}.urls"
WSGI_APPLICATION = "{{ cookiecutter.project_slug }}.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {
    "default": {
{%- if cookiecutter.database == "postgresql" %}
        "ENGINE": "django.db.backends.postgresql",
        "HOST": os.environ.get("DATABASE_HOST", "localhost"),
        "PORT": os.environ.get("DATABASE_PORT", "5432"),
        "USER": os.environ.get("DATABASE_USER", "postgres"),
        "PASSWORD": os.environ.get("DATABASE_PASSWORD", "postgres"),
        "NAME": os.environ.get(
            "DATABASE_NAME",
            "{{ cookiecutter.project_slug }}",
        ),
{%- else %}
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": BASE_DIR / "db.sqlite3",
{%- endif %}
    },
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

{% if cookiecutter.cache_backend == "locmem" -%}
# Local memory is one process's own: put a server here when there are several.
{{ caches("locmem.LocMemCache", '"default"', '"throttle"') }}
{%- elif cookiecutter.cache_backend == "file" -%}
# On one machine its processes share files: put a server here when there are several.
{{ caches("filebased.FileBasedCache", 'BASE_DIR / ".cache" / "default"', 'BASE_DIR / ".cache" / "throttle"') }}
{%- elif cookiecutter.cache_backend == "database" -%}
# manage.py createcachetable makes the tables.
{{ caches("db.DatabaseCache", '"cache_default"', '"cache_throttle"') }}
{%- elif cookiecutter.cache_backend == "redis" -%}
CACHE_URL = os.environ.get("CACHE_URL") or "redis://localhost:6379/0"
{{ caches("redis.RedisCache") }}
{%- elif cookiecutter.cache_backend == "valkey" -%}
CACHE_URL = os.environ.get("CACHE_URL") or "valkey://localhost:6379/0"
{{ caches("django_valkey.cache.ValkeyCache") }}
{%- else -%}
CACHE_URL = os.environ.get("CACHE_URL") or "127.0.0.1:11211"
{{ caches("memcached.PyMemcacheCache") }}
{%- endif %}
SESSION_ENGINE = "django.contrib.sessions.backends.cache"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{validator}"}
    for validator in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
STATIC_URL = "static/"
{%- if cookiecutter.drf == "yes" %}

REST_FRAMEWORK = {
    "DEFAULT_THROTTLE_RATES": {"anon": "10/minute"},
}
{%- endif %}
