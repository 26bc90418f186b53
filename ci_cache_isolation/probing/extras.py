"""What a backend can do beyond Django's methods: calls of it, found by its signatures.

Only what takes a key, a pattern, a tag or a name is called, with ours: what reaches
nothing but that.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from django.core.cache import BaseCache

from ci_cache_isolation.probing.programs import LASTING
from ci_cache_isolation.probing.steps import (
    At,
    Call,
    Key,
    Suite,
)

__all__ = ["extras_of", "suite_of"]

_KINDS = {"s": "set", "h": "hash", "z": "sorted", "l": "list", "r": "list", "x": "log"}
_OTHERS = {
    "pattern": Key("*", before="*"),
    "search": Key("*", before="*"),
    "prefix": Key(""),
    "tag": Key("tag"),
    "name": Key("name"),
}
_VALUES: dict[str, Any] = {
    "value": 3,
    "values": (1,),
    "member": "m",
    "members": ("m",),
    "field": "f",
    "fields": ("f",),
    "mapping": {"m": 1.0, "n": 2.0},
    "delta": 2,
    "amount": 2.0,
    "timeout": LASTING,
    "ttl": LASTING,
    "when": At(LASTING),
    "start": 0,
    "end": -1,
    "stop": -1,
    "min": 0,
    "max": 10,
    "min_score": 0,
    "max_score": 10,
}
_SECOND = {"dest", "destination", "dst", "target"}
_FIRST = {"key", "source", "src"}
_MANY = {"keys", "sources"}
_ADDING = ("add", "set", "push")
_REMOVING = ("del", "rem", "pop", "move", "cull", "evict")
_ROUGH = ("ttl", "expiretime")
_OF_KEYS = ("key_func", "keyslot", "make_", "reverse_key")
"""Begin the names of functions that make keys, and are no operations."""
_LISTING_ALL = frozenset({"keys", "akeys"})
"""A big server that lists all its keys does nothing else for a while."""
_CHANGING_ALL = ("clear", "flush", "close", "cull", "shutdown")
_PARTS = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def suite_of(cache: Any, *, is_own: bool) -> Suite | None:
    """Return a suite of a backend's own methods, None where there are none."""
    calls, _ = extras_of(cache, is_own=is_own)
    if not calls:
        return None
    adding = tuple(call for call in calls if _is_adding(call.method))
    return Suite(5, "extras", "the backend's own methods do", (calls, calls), adding)


def extras_of(cache: Any, *, is_own: bool) -> tuple[tuple[Call, ...], list[str]]:
    """Return calls of a backend's own methods, and the names of those left out.

    ``is_own`` says that nobody else has anything where the cache is: then it does not
    matter how a name of ours becomes a key.
    """
    calls: list[Call] = []
    left_out: list[str] = []
    for name in sorted(_names(cache), key=_place):
        call = _call_of(cache, name, is_own=is_own)
        if call is None:
            left_out.append(name)
        else:
            calls.append(call)
    return tuple(calls), left_out


def _names(cache: Any) -> Iterator[str]:
    usual = set(dir(BaseCache))
    for name in dir(type(cache)):
        if name.startswith(("_", *_OF_KEYS)) or name in usual:
            continue
        if name.startswith("a") and name[1:] in usual:
            continue
        if callable(inspect.getattr_static(type(cache), name, None)):
            yield name


def _call_of(cache: Any, name: str, *, is_own: bool) -> Call | None:
    """Return a call of a method with what is ours; None where that can't be known."""
    if "client" in name or (not is_own and name in _LISTING_ALL):
        return None
    if any(name.removeprefix("a").startswith(each) for each in _CHANGING_ALL):
        return None
    args: list[Any] = []
    is_ours = False
    for each in _parameters(cache, name):
        is_starred = each.kind is each.VAR_POSITIONAL
        is_needed = each.default is each.empty
        if each.kind is each.VAR_KEYWORD or not (is_needed or each.name in _OTHERS):
            break
        value = _ours(each.name, name, is_own=is_own)
        is_ours = is_ours or value is not None
        if value is None:
            value = _VALUES.get(each.name)
        if each.kind is each.KEYWORD_ONLY or (value is None and not is_starred):
            return None
        if not is_starred:
            args.append(value)
        elif value is not None:
            args += value if isinstance(value, (list, tuple)) else [value]
    is_rough = any(each in name for each in _ROUGH)
    return Call(name, tuple(args), is_rough=is_rough) if is_ours else None


def _ours(parameter: str, method: str, *, is_own: bool) -> Any:
    """Return what is ours to give for a parameter; None where it is for other things.

    What has a name need not be a key: it may go past all that makes keys.
    """
    kind = _KINDS.get(method.removeprefix("a")[:1], "own")
    key = Key("lock" if "lock" in method else kind)
    if parameter in _FIRST:
        return key
    if parameter in _MANY:
        return [key]
    if parameter in _SECOND:
        return Key("second")
    return _OTHERS.get(parameter) if is_own or parameter != "name" else None


def _parameters(cache: Any, name: str) -> list[inspect.Parameter]:
    """Return a method's parameters, those of its client's where it passes all on."""
    for holder in (cache, getattr(cache, "client", None)):
        try:
            signature = inspect.signature(getattr(holder, name))
        except (AttributeError, TypeError, ValueError):
            continue
        parameters = list(signature.parameters.values())
        if any(each.kind not in _PARTS for each in parameters):
            return parameters
        starred = [each for each in parameters if each.name not in {"args", "kwargs"}]
        if starred:
            return parameters
    return []


def _place(name: str) -> tuple[bool, bool, str]:
    """Return where a method comes among others: what adds first, what removes last."""
    is_removing = any(each in name for each in _REMOVING)
    return is_removing, not _is_adding(name), name


def _is_adding(name: str) -> bool:
    return any(each in name for each in _ADDING) and "store" not in name
