"""No models: a cache held from import, which is what models modules often do."""

from django.core.cache import caches

held = caches["default"]
held_second = caches["second"]
