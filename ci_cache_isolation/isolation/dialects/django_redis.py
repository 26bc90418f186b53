"""django-redis: all its clients that run on one server, and shards."""

from __future__ import annotations

from ci_cache_isolation.isolation.dialects.clients import ClientDialect

__all__ = ["DjangoRedisDialect"]


class DjangoRedisDialect(ClientDialect):
    """``django_redis.cache.RedisCache`` and what derives from it."""

    packages = ("django_redis",)
    backend_class = "django_redis.cache.RedisCache"
    server_kind = "redis"

    @staticmethod
    def speaks(cache_class: type) -> bool:
        """Return whether it is django-redis's."""
        return DjangoRedisDialect.is_backend(cache_class)

    @staticmethod
    def client_module(cache_class: type) -> str:  # noqa: ARG004
        """Return the package of clients, which imports redis."""
        return "django_redis.client"
