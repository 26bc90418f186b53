"""What every kind of test does: look for what another one left, then leave it."""

from django.core.cache import cache, caches

from leaks import models

KEY = "left-behind"


def meet(test_name):
    """Fail if any other test was here; leave an entry in every way there is."""
    met = [
        f"{where}: {found}"
        for where, found in (
            ("default", cache.get(KEY)),
            ("held", models.held.get(KEY)),
            ("second", caches["second"].get(KEY)),
            ("held second", models.held_second.get(KEY)),
            ("version", cache.get(KEY, version=2)),
        )
        if found is not None
    ]
    assert not met, f"met {met}"
    cache.set(KEY, test_name)
    caches["second"].set(KEY, test_name, timeout=None)
    cache.set(KEY, test_name, version=2)
    assert models.held.get(KEY) == test_name
    assert models.held_second.get(KEY) == test_name


def check_enclosing(key):
    """Fail unless the entry is as set-up left it; then spoil it in every way."""
    assert cache.get(key) == "as stored", f"{key} holds {cache.get(key)!r}"
    assert cache.get(f"{key}-count") == 1, f"{key}-counts {cache.get(f'{key}-count')}"


def change(key):
    check_enclosing(key)
    cache.set(key, "changed")
    cache.incr(f"{key}-count")


def delete(key):
    check_enclosing(key)
    cache.delete(key)
    cache.touch(f"{key}-count", 0)


def clear(key):
    check_enclosing(key)
    cache.clear()


def store(key):
    """What set-up of a wider scope does."""
    cache.set(key, "as stored")
    cache.set(f"{key}-count", 1)


SPOILERS = (change, delete, clear)
