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
_UNSUITABLE = frozenset({"key_func", "make_pattern", "reverse_key"})
"""Functions that make keys, and are no operations."""
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
        if name.startswith("_") or name in usual or name in _UNSUITABLE:
            continue
        if name.startswith("a") and name[1:] in usual:
            continue
        if callable(inspect.getattr_static(type(cache), name, None)):
            yield name


def _call_of(cache: Any, name: str, *, is_own: bool) -> Call | None:
    """Return a call of a method with what is ours; None where that can't be known."""
    if any(name.removeprefix("a").startswith(each) for each in _CHANGING_ALL):
        return None
    parameters = _parameters(cache, name)
    kind = "lock" if "lock" in name else _KINDS.get(name.removeprefix("a")[:1], "own")
    own = Key(kind)
    args: list[Any] = []
    is_ours = False
    for each in parameters:
        is_needed = each.default is each.empty
        if each.kind is inspect.Parameter.VAR_KEYWORD or not (
            is_needed or each.name in _OTHERS
        ):
            break
        if each.kind is inspect.Parameter.KEYWORD_ONLY:
            return None
        is_starred = each.kind is inspect.Parameter.VAR_POSITIONAL
        if each.name in _FIRST or each.name in _MANY or each.name in _SECOND:
            key = Key("second") if each.name in _SECOND else own
            value: Any = [key] if each.name in _MANY else key
            is_ours = True
        elif each.name in _OTHERS and (is_own or each.name != "name"):
            value = _OTHERS[each.name]
            is_ours = True
        elif each.name in _VALUES:
            value = _VALUES[each.name]
        elif is_starred:
            continue
        else:
            return None
        if is_starred:
            args += value if isinstance(value, (list, tuple)) else [value]
        else:
            args.append(value)
    return (
        Call(name, tuple(args), is_rough=any(each in name for each in _ROUGH))
        if is_ours
        else None
    )


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
