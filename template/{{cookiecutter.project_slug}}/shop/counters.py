"""Counters in a cache."""

from django.core.cache import cache
from django.core.cache.backends.base import BaseCache


def count(counters: BaseCache, key: str, timeout: int | None) -> int:
    """Add one to a counter, which begins with the first call; return where it is."""
    if counters.add(key, 1, timeout):
        return 1
    try:
        return counters.incr(key)
    except ValueError:  # It timed out between the two calls.
        counters.set(key, 1, timeout)
        return 1


def count_visit(slug: str) -> int:
    """Count a visit to a product's page; return the visitor's number."""
    return count(cache, f"visits:{slug}", timeout=None)


def forget_visits(slug: str) -> None:
    cache.delete(f"visits:{slug}")
