"""The methods of caches as looks, stores and deletions: wrapped on their classes.

On the classes, for objects that anybody holds. What a backend makes of several of its
own operations counts once, for the outermost; what Django's `BaseCache` does (as in
``get_or_set``) is left to the operations that it calls.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from functools import partial
from typing import Any

from django.core.cache import BaseCache
from django.core.cache.backends.base import DEFAULT_TIMEOUT

from ci_cache_isolation.evidence.call_site import HANDED_ON
from ci_cache_isolation.evidence.called import FAILED, Called, Recording
from ci_cache_isolation.evidence.extras import EXTRAS, get_many, listed, set_many
from ci_cache_isolation.isolation.keys import stands
from ci_cache_isolation.isolation.patches import Patches

__all__ = ["wrap_operations"]

_is_inside: ContextVar[bool] = ContextVar("inside an operation", default=False)


def wrap_operations(patches: Patches, cache_class: type, recording: Recording) -> None:
    """Have all operations of a class of caches recorded; again is harmless."""
    for owner in cache_class.__mro__:
        if owner is object or owner is BaseCache:
            continue
        for name, noting in _NOTING.items():
            for each in (name, f"a{name}"):
                method = vars(owner).get(each)
                if inspect.isfunction(method):
                    patches.wrap(
                        owner, each, partial(_wrapped, noting, name, recording)
                    )
    for name, method in vars(BaseCache).items():
        if inspect.iscoroutinefunction(method):
            patches.wrap(BaseCache, name, partial(_handing_on, recording))


def _wrapped(
    noting: Callable[[Called], None],
    name: str,
    recording: Recording,
    operation: Callable[..., Any],
) -> Callable[..., Any]:
    def begins(cache: Any, args: tuple[Any, ...]) -> bool:
        is_ours = bool(args) and stands(args[0])
        return not (is_ours or _is_inside.get()) and recording.is_open(cache)

    if inspect.iscoroutinefunction(operation):

        async def noted(cache: Any, *args: Any, **kwargs: Any) -> Any:
            if not begins(cache, args):
                return await operation(cache, *args, **kwargs)
            token, result = _is_inside.set(True), FAILED
            try:
                result = await operation(cache, *args, **kwargs)
            finally:
                _is_inside.reset(token)
                recording.note(
                    noting, Called(recording, name, cache, args, kwargs, result)
                )
            return result

        return noted

    def noted_at_once(cache: Any, *args: Any, **kwargs: Any) -> Any:
        if not begins(cache, args):
            return operation(cache, *args, **kwargs)
        token, result = _is_inside.set(True), FAILED
        try:
            result = operation(cache, *args, **kwargs)
        finally:
            _is_inside.reset(token)
            recording.note(noting, Called(recording, name, cache, args, kwargs, result))
        return result

    return noted_at_once


def _handing_on(
    recording: Recording, operation: Callable[..., Any]
) -> Callable[..., Any]:
    """Remember who called: what is done in another thread no longer knows."""

    async def with_site(cache: Any, *args: Any, **kwargs: Any) -> Any:
        if HANDED_ON.get() is not None or not recording.is_open(cache):
            return await operation(cache, *args, **kwargs)
        token = HANDED_ON.set(recording.site())
        try:
            return await operation(cache, *args, **kwargs)
        finally:
            HANDED_ON.reset(token)

    return with_site


def _get(call: Called) -> None:
    is_hit = call.result is not call.given(1, "default")
    call.look(call.given(2, "version"), hit=None if call.has_failed else is_hit)


def _test(call: Called) -> None:
    call.look(call.given(1, "version"), hit=call.truth)


def _set(call: Called) -> None:
    if not call.has_failed and call.result is not False:
        timeout = call.given(2, "timeout", DEFAULT_TIMEOUT)
        call.store(call.key, call.given(3, "version"), timeout)


def _add(call: Called) -> None:
    version, is_added = call.given(3, "version"), call.truth
    call.look(version, hit=None if is_added is None else not is_added)
    if is_added:
        call.store(call.key, version, call.given(2, "timeout", DEFAULT_TIMEOUT))


def _touch(call: Called) -> None:
    version = call.given(2, "version")
    call.look(version, hit=call.truth)
    if call.truth:
        call.store(call.key, version, call.given(1, "timeout", DEFAULT_TIMEOUT))


def _delete(call: Called) -> None:
    version = call.given(1, "version")
    call.look(version, hit=call.truth)
    if not call.has_failed:
        call.recording.delete(call.cache, call.key, version, call.operation)


def _count(call: Called) -> None:
    version = call.given(2, "version")
    call.look(version, hit=not call.has_failed)
    if not call.has_failed:
        # It keeps the timeout that it had, which is not known here.
        call.store(call.key, version, None)


def _delete_many(call: Called) -> None:
    version = call.given(1, "version")
    for key in () if call.has_failed else listed(call.given(0, "keys", ())):
        call.recording.delete(call.cache, key, version, call.operation)


def _clear(call: Called) -> None:
    if not call.has_failed:
        call.recording.clear(call.cache, call.operation)


_NOTING: Mapping[str, Callable[[Called], None]] = {
    "get": _get,
    "has_key": _test,
    "__contains__": _test,
    "set": _set,
    "add": _add,
    "touch": _touch,
    "delete": _delete,
    "incr": _count,
    "decr": _count,
    "get_many": get_many,
    "set_many": set_many,
    "delete_many": _delete_many,
    "clear": _clear,
    **EXTRAS,
}
