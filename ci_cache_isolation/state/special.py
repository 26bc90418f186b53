"""Containers that are more than they look, or that nobody sees from outside.

The environment is known to the system too, so that programs that are started get it.
Django's settings remember what they were asked for beside the object that holds it. A
context variable's value, and what asgiref keeps for a thread or a task, hang on nothing
that Python shows.
"""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any

from asgiref.local import Local
from django.conf import settings

from ci_cache_isolation.state.comparing import (
    MISSING,
    Contents,
    derives,
)
from ci_cache_isolation.state.containers import Keyed
from ci_cache_isolation.state.probes import PROBES, Probes
from ci_cache_isolation.state.rows import TABLES, Tables

__all__ = ["SPECIAL", "WRAPPED", "claimed_by", "held_by", "special_kind"]

WRAPPED = "_wrapped"
_VALUE = "value"


class _Environment(Keyed):
    """`os.environ`, by names as Python has them."""

    is_special = True

    def read(self, container: Any) -> Contents:
        data = dict(container._data)  # noqa: SLF001
        names = tuple(map(container.decodekey, data))
        return names, tuple(map(container.decodevalue, data.values()))

    def get(self, container: Any, key: Any) -> Any:
        return container.get(key, MISSING)

    def put(self, container: Any, key: Any, value: Any) -> None:
        if value is not MISSING:
            container[key] = value
        else:
            container.pop(key, None)


class _Settings(Keyed):
    """What Django's settings hold: whoever is asked for them, and what that holds."""

    is_special = True
    has_names = True

    @staticmethod
    def _inner(own: dict[str, Any]) -> dict[str, Any]:
        inner = own.get(WRAPPED)
        found: Any = object.__getattribute__(inner, "__dict__") if inner else {}
        # Not set up yet, it is a plain object.
        return found if type(found) is dict else {}

    def read(self, container: Any) -> Contents:
        own = _own(container)
        inner = dict(self._inner(own))
        return (WRAPPED, *inner), (own.get(WRAPPED), *inner.values())

    def get(self, container: Any, key: Any) -> Any:
        own = _own(container)
        holder = own if key == WRAPPED else self._inner(own)
        return holder.get(key, MISSING)

    def put(self, container: Any, key: Any, value: Any) -> None:
        own = _own(container)
        if key == WRAPPED:
            own.clear()
            own[WRAPPED] = value
            return
        # What is remembered would be found first.
        own.pop(key, None)
        inner = self._inner(own)
        if value is MISSING:
            inner.pop(key, None)
        else:
            inner[key] = value


class _OfContext(Keyed):
    """What a context variable holds here. It can't be made to hold nothing."""

    is_special = True
    has_names = True

    def read(self, container: Any) -> Contents:
        value = container.get(MISSING)
        return ((), ()) if value is MISSING else ((_VALUE,), (value,))

    def get(self, container: Any, key: Any) -> Any:  # noqa: ARG002
        return container.get(MISSING)

    def put(self, container: Any, key: Any, value: Any) -> None:  # noqa: ARG002
        if value is not MISSING:
            container.set(value)


class _OfTask(Keyed):
    """What a `Local` of asgiref holds for this thread or task."""

    is_special = True
    has_names = True

    @staticmethod
    def _data(container: Any) -> dict[str, Any]:
        storage = _own(container).get("_storage")
        if isinstance(storage, threading.local):
            return dict(vars(storage))
        data = getattr(storage, "_data", None)
        if isinstance(data, ContextVar):
            held = data.get(None)
            data = getattr(held, "data", held)
        if not isinstance(data, dict):
            return {}
        # An earlier version has a variable for each name.
        found = (
            (name, each.get(MISSING) if isinstance(each, ContextVar) else each)
            for name, each in data.items()
        )
        return {name: each for name, each in found if each is not MISSING}

    def read(self, container: Any) -> Contents:
        data = self._data(container)
        return tuple(data), tuple(data.values())

    def get(self, container: Any, key: Any) -> Any:
        return self._data(container).get(key, MISSING)

    def put(self, container: Any, key: Any, value: Any) -> None:
        if value is not MISSING:
            setattr(container, key, value)
        elif self.get(container, key) is not MISSING:
            delattr(container, key)


def _own(container: object) -> dict[str, Any]:
    found: dict[str, Any] = object.__getattribute__(container, "__dict__")
    return found


_CONTEXT, _TASK = _OfContext(), _OfTask()
SPECIAL: tuple[object, ...] = (os.environ, settings, PROBES, TABLES)
"""Objects that are known one by one."""
_KINDS: dict[int, Keyed] = {
    id(os.environ): _Environment(),
    id(settings): _Settings(),
    id(PROBES): Probes(),
    id(TABLES): Tables(),
}


# By a class's id, with the class, so that the id stays its own.
_LOCALS: dict[int, tuple[type, bool]] = {}


def special_kind(node: object) -> Keyed | None:
    """Return how an object is read that is more than it looks, None for all others."""
    kind = type(node)
    if kind is ContextVar:
        return _CONTEXT
    known = _LOCALS.get(id(kind))
    if known is None:
        known = _LOCALS[id(kind)] = kind, derives(kind, Local)
    return _TASK if known[1] else _KINDS.get(id(node))


def held_by(node: object) -> Iterable[object]:
    """Return what hangs on an object, also where it does not show that."""
    special = special_kind(node)
    if special is None:
        return gc.get_referents(node)
    is_asked = node is PROBES or node is TABLES
    hidden = () if is_asked else special.read(node)[1]
    # asgiref keeps things in a way of its own, which is nobody's state.
    return hidden if special is _TASK else [*gc.get_referents(node), *hidden]


def claimed_by(node: object) -> tuple[object, ...]:
    """Return what is no container by itself, but part of one that is special."""
    if node is os.environ:
        return (os.environ._data,)  # type: ignore[attr-defined]  # noqa: SLF001
    if node is not settings:
        return ()
    own = _own(node)
    inner = own.get(WRAPPED)
    return own, inner, _own(inner)
