"""What a shop does with a cache, far from its tests."""

import functools

from django.core.cache import cache

TAXES = {"DE": 19, "FR": 20, "IT": 22}


class Locked(Exception):  # noqa: N818 -- a state, not an error
    """Somebody else holds the lock."""


class Lock:
    """A lock of one's own, as people write it with ``add``."""

    def __init__(self, name):
        self.key = f"lock:{name}"

    def acquire(self):
        if not cache.add(self.key, "held", timeout=None):
            raise Locked(self.key)

    def release(self):
        cache.delete(self.key)


def next_number(series):
    key = f"number:{series}"
    cache.add(key, 0, timeout=None)
    return cache.incr(key)


def is_on(feature):
    return cache.get(f"feature:{feature}") == "on"


def switch_on(feature):
    cache.set(f"feature:{feature}", "on")


def cached(name):
    """Keep what a function returns for an argument."""

    def decorate(function):
        @functools.wraps(function)
        def look_up(argument):
            return cache.get_or_set(f"{name}:{argument}", lambda: function(argument))

        return look_up

    return decorate


@cached("tax")
def tax(country):
    return TAXES[country]


def shipping(country):
    """Return the same whether it was kept or not."""
    kept = cache.get(f"shipping:{country}")
    if kept is None:
        kept = 5 if country == "DE" else 9
        cache.set(f"shipping:{country}", kept)
    return kept
