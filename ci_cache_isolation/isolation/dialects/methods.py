"""What a method of somebody's backend does, as far as its code tells.

Only names are read, and nothing is run. What can't be read is taken for the usual.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType

from django.core.cache import BaseCache
from django.utils.connection import BaseConnectionHandler, ConnectionProxy

__all__ = ["calls_down", "extras", "flushes", "hands_on", "makes_keys", "searches"]

_SEARCHING = frozenset({"match", "pattern", "prefix"})

_MAKING_KEYS = frozenset({"key_func"}) | {
    name
    for name in vars(BaseCache)
    if not name.startswith("__") and name not in {"clear", "aclear", "close", "aclose"}
}

_OWN_KEYS = frozenset({"key_func", "make_key", "make_and_validate_key", "validate_key"})
_BY_ALIAS = (ConnectionProxy, BaseConnectionHandler)
_PLAIN = (bool, int, float, str, bytes, type, type(None), FunctionType)


def hands_on(cache: object, is_known: Callable[[object], bool]) -> bool:
    """Return whether a cache keeps nothing itself and has other caches do all of it.

    It makes no keys; it holds other caches, or asks Django for them when it is cleared;
    and it holds nothing that entries of its own could be in. ``is_known`` says of those
    that it holds whether they are an alias's: one that it made by itself is nobody
    else's, and to clear that may empty a server.
    """
    caches = [each for each in vars(cache).values() if _are_caches(each, is_known)]
    others = [each for each in vars(cache).values() if not isinstance(each, _PLAIN)]
    if len(others) > len(caches):
        return False
    clear = inspect.getattr_static(type(cache), "clear", None)
    if not caches and "caches" not in _names(clear):
        return False
    ours = [each for each in type(cache).__mro__ if each not in {BaseCache, object}]
    methods = [each for owner in ours for each in _own(owner)]
    names = {name for name, _ in methods}.union(*(_names(each) for _, each in methods))
    return _OWN_KEYS.isdisjoint(names)


def _own(owner: type) -> Iterator[tuple[str, object]]:
    """Yield the methods of a class, but for those of Django's that were wrapped."""
    for name, each in vars(owner).items():
        method = each.fget if isinstance(each, property) else each
        if isinstance(method, staticmethod | classmethod):
            method = method.__func__
        if callable(method) and inspect.unwrap(method) is not vars(BaseCache).get(name):
            yield name, method


def _are_caches(value: object, is_known: Callable[[object], bool]) -> bool:
    """Return whether a value is a known cache, or holds such and nothing else."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple | set | frozenset):
        return bool(value) and all(_are_caches(each, is_known) for each in value)
    return isinstance(value, _BY_ALIAS) or (
        isinstance(value, BaseCache) and is_known(value)
    )


def calls_down(owner: type, name: str) -> bool:
    """Return whether a class's method calls the one that it overrides."""
    names = set(_names(vars(owner).get(name)))
    above = {each.__name__ for each in owner.__mro__[1:]}
    return "super" in names or (name in names and not names.isdisjoint(above))


def flushes(owner: type, name: str) -> bool:
    """Return whether a class's method sends what empties a whole server."""
    return any("flush" in each for each in _names(vars(owner).get(name)))


def makes_keys(cache_class: type, name: str) -> bool:
    """Return whether a method may make a key, by itself or by what it calls."""
    seen: set[str] = set()
    waiting = {name}
    while waiting:
        each = waiting.pop()
        seen.add(each)
        names = set(_names(inspect.getattr_static(cache_class, each, None)))
        if not names.isdisjoint(_MAKING_KEYS):
            return True
        waiting |= {other for other in names if hasattr(cache_class, other)} - seen
    return False


def searches(cache_class: type, name: str) -> bool:
    """Return whether a method looks for keys by what they have in common."""
    signature = inspect.signature(inspect.getattr_static(cache_class, name))
    return not _SEARCHING.isdisjoint(signature.parameters)


def extras(cache_class: type) -> Iterator[str]:
    """Yield the public methods that a backend has and Django's caches have not.

    What tests have put there is none of them.
    """
    modules = {each.__module__ for each in cache_class.__mro__}
    for name in dir(cache_class):
        method = inspect.getattr_static(cache_class, name)
        if (
            not name.startswith("_")
            and not hasattr(BaseCache, name)
            and inspect.isfunction(method)
            and method.__module__ in modules
        ):
            yield name


def _names(method: object) -> Iterator[str]:
    """Yield the names that the code of a function refers to, nested code included."""
    function = inspect.unwrap(method) if callable(method) else method
    code = getattr(function, "__code__", None)
    waiting = [code]
    while waiting:
        each = waiting.pop()
        if isinstance(each, CodeType):
            yield from each.co_names
            waiting += each.co_consts
