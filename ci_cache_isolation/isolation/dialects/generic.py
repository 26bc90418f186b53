"""Any cache that makes its keys by ``key_func``: what all caches can do is used."""

from __future__ import annotations

import functools
import inspect
import pickle
import sys
from collections.abc import Callable, Hashable, Iterable
from types import FrameType
from typing import TYPE_CHECKING, Any, cast

from django.core.cache import BaseCache, caches
from django.core.cache.backends.base import DEFAULT_TIMEOUT

from ci_cache_isolation.isolation import notices
from ci_cache_isolation.isolation.clocks import Deadline, Expiries, Expiry
from ci_cache_isolation.isolation.dialects.base import Dialect
from ci_cache_isolation.isolation.dialects.methods import extras, makes_keys, searches
from ci_cache_isolation.isolation.keys import Attention, maker_of, stands

if TYPE_CHECKING:
    from ci_cache_isolation.isolation.journal import About
    from ci_cache_isolation.isolation.patches import Patches

__all__ = ["GenericDialect", "TimeoutsRemembered", "remember_as"]

_MISSING = object()
_REMEMBERS = "_ci_cache_isolation_remembers"
_PLACE = "_ci_cache_isolation_place"
_SERVER_ATTRIBUTES = (
    *("_servers", "_server", "_location", "location", "_table", "_dir"),
    _PLACE,
)
_KEYS_AS_THEY_ARE = (
    "Cache {alias!r} is not isolated: its backend {backend} does not make its keys by "
    "make_key() or key_func(). Tests and processes meet each other's entries in it. "
    "Have it call make_key(), or use LocMemCache for it in your test settings."
)
_REACHES_ALL = (
    "{name}() of cache {alias!r} is not isolated: in backend {backend} it makes no "
    "key. What it reads, changes or deletes are also entries of other tests, processes "
    "and people, and what it stores stays. Give the cache a LOCATION of its own in "
    "your test settings, or put a mock in the place of {name}()."
)
_OPERATIONS = ("get", "set", "add", "delete", "clear")


class TimeoutsRemembered(Dialect):
    """For servers that don't tell how long an entry still has to live.

    Then the timeout that was given when it was stored is remembered here.
    """

    def patch(self, patches: Patches, cache_class: type) -> None:
        """Wrap the operations that take a timeout as well."""
        super().patch(patches, cache_class)
        for name, wrapping in _REMEMBERING.items():
            for owner in self.owners(cache_class, name):
                patches.wrap(owner, name, wrapping)

    def opened(self, alias: str, cache: Any) -> None:
        """Wrap the operations that only the object has."""
        super().opened(alias, cache)
        for name, wrapping in _REMEMBERING.items():
            method = vars(cache).get(name)
            is_own = callable(method) and _is_abstract(cache, name)
            if is_own and not hasattr(getattr(method, "func", None), _REMEMBERS):
                remember = wrapping(_as_function(method))
                setattr(remember, _REMEMBERS, True)
                vars(cache)[name] = functools.partial(remember, cache)

    def expiry(self, cache: Any, timeout: float | None) -> Expiry:  # noqa: ARG002
        """Return when an entry expires that is stored now."""
        return None if timeout is None else Deadline(timeout)


class GenericDialect(TimeoutsRemembered):
    """Caches of which nothing is known but Django's own methods."""

    @staticmethod
    def speaks(cache_class: type) -> bool:
        """Return whether the class has what every cache has, and nothing disabled."""
        return all(callable(getattr(cache_class, name, None)) for name in _OPERATIONS)

    def server(self, cache: Any) -> Hashable:
        """Return its LOCATION, as far as it can be seen; or its class alone."""
        location = _seen_location(cache)
        kind = type(cache)
        return f"{kind.__module__}.{kind.__qualname__}", str(location or "")

    def opened(self, alias: str, cache: Any) -> None:
        """Take note of the LOCATION in settings, if the cache does not show it."""
        super().opened(alias, cache)
        if _seen_location(cache) is None:
            conf = caches.settings.get(alias, {})
            vars(cache)[_PLACE] = conf.get("LOCATION", alias)

    def about(self, alias: str, cache: Any) -> About:
        """Return what is recorded about a space."""
        self.opened(alias, cache)
        return super().about(alias, cache)

    def patch(self, patches: Patches, cache_class: type) -> None:
        """Wrap the backend's extras as well: some of them make no key."""
        super().patch(patches, cache_class)
        for name in extras(cache_class):
            wrapping: Callable[[Any], Any] = self.naming
            if not makes_keys(cache_class, name):
                wrapping = _reaching_all
            elif searches(cache_class, name):
                wrapping = self.seeing_all
            for owner in self.owners(cache_class, name):
                patches.wrap(owner, name, wrapping)
        for owner in self.owners(cache_class, "get_many"):
            if "get_many" in vars(owner):
                patches.wrap(owner, "get_many", _returning_own_keys)

    def location(self, cache: Any) -> str:
        """Return its LOCATION, as far as it can be seen."""
        from ci_cache_isolation.isolation.redaction import redacted  # noqa: PLC0415

        return redacted(self.server(cache)[1])  # type: ignore[index]

    def copy(self, cache: Any, source: str, target: str, expiries: Expiries) -> None:
        """Get it and add it again."""
        with Attention((source, target)):
            value = _operation(cache, "get")(source, _MISSING)
            if value is not _MISSING:
                timeout = _time_left(expiries, source, cache.default_timeout)
                _operation(cache, "add")(target, value, timeout)
                remember_as(expiries, source, target)

    def state(self, cache: Any, full: str, expiries: Expiries) -> object:
        """Return the value, as it can be compared, and its end as it was told."""
        with Attention((full,)):
            value = _operation(cache, "get")(full, _MISSING)
        if value is _MISSING:
            return None
        return pickle.dumps(value), expiries.get(full)

    def connect(self, cache: Any) -> None:
        """Have a cache that is unmanaged take its keys as they are."""
        if maker_of(cache) is None:
            cache.key_func = lambda key, *_: key

    def delete(self, cache: Any, names: list[str]) -> None:
        """Delete them by the cache's own method."""
        with Attention(names):
            if hasattr(type(cache), "delete_many"):
                type(cache).delete_many(cache, names)
            else:
                for name in names:
                    _operation(cache, "delete")(name)


def _operation(cache: Any, name: str) -> Callable[..., Any]:
    """Return a method past what tools and tests put in its place on the object.

    Where the class has none of its own, the object's is the backend's.
    """
    if _is_abstract(cache, name) and name in vars(cache):
        return cast("Callable[..., Any]", vars(cache)[name])
    return functools.partial(getattr(type(cache), name), cache)


def _is_abstract(cache: Any, name: str) -> bool:
    """Return whether a class leaves a method as Django's base class has it."""
    found = getattr(type(cache), name, None)
    return found is None or inspect.unwrap(found) is vars(BaseCache).get(name)


def _as_function(method: Callable[..., Any]) -> Callable[..., Any]:
    return lambda _, *args, **kwargs: method(*args, **kwargs)


def _returning_own_keys(get_many: Callable[..., Any]) -> Callable[..., Any]:
    """Let a backend that returns the keys that it made return those of the user's."""

    @functools.wraps(get_many)
    def return_own_keys(cache: Any, *args: Any, **kwargs: Any) -> Any:
        found = get_many(cache, *args, **kwargs)
        maker = maker_of(cache)
        if maker is None or type(found) is not dict:
            return found
        return {
            maker.space.own_text(key) if isinstance(key, str) else key: value
            for key, value in found.items()
        }

    return return_own_keys


def _seen_location(cache: Any) -> object:
    found = (vars(cache).get(name) for name in _SERVER_ATTRIBUTES)
    return next((each for each in found if each is not None), None)


def _reaching_all(method: Callable[..., Any]) -> Callable[..., Any]:
    """Say once of a method that it makes no key, when it has made none."""

    def say(cache: Any, caller: FrameType) -> None:
        maker = maker_of(cache)
        if maker is None or maker.space.current() is None:
            return
        # What the backend itself calls is a part of another operation.
        if caller.f_globals.get("__name__") not in maker.space.modules:
            kind = f"{type(cache).__module__}.{type(cache).__qualname__}"
            notices.note(
                _REACHES_ALL.format(
                    name=method.__name__, alias=maker.space.alias, backend=kind
                )
            )

    if inspect.iscoroutinefunction(method):

        @functools.wraps(method)
        async def reach(cache: Any, *args: Any, **kwargs: Any) -> Any:
            with Attention() as attention:
                result = await method(cache, *args, **kwargs)
            if not attention.is_asked:
                say(cache, sys._getframe(1))  # noqa: SLF001
            return result

    else:

        @functools.wraps(method)
        def reach(cache: Any, *args: Any, **kwargs: Any) -> Any:
            with Attention() as attention:
                result = method(cache, *args, **kwargs)
            if not attention.is_asked:
                say(cache, sys._getframe(1))  # noqa: SLF001
            return result

    return reach


def _time_left(expiries: Expiries, full: str, default: float | None) -> float | None:
    """Return for how many seconds an entry that was found is still stored."""
    expiry = expiries.get(full, _MISSING)
    if not isinstance(expiry, Deadline):
        return default if expiry is _MISSING else None
    # Nobody says which clock the backend goes by. If the tests' were it, one that has
    # expired there would not have been found.
    left = expiry.seconds_seen()
    return max(left if left > 0 else expiry.seconds(), 1)


def remember_as(expiries: Expiries, source: str, target: str) -> None:
    """Take note that a copy lives as long as what it is a copy of."""
    if source in expiries:
        expiries[target] = expiries[source]


def _remembering_one(name: str) -> Callable[..., Any]:
    def wrapping(operation: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(operation)
        def remember(cache: Any, key: Any, *args: Any, **kwargs: Any) -> Any:
            result = operation(cache, key, *args, **kwargs)
            given = args if name == "touch" else args[1:]
            # What was there already, or was not there, is left as it was.
            if result or name == "set":
                _remember(cache, (key,), given, kwargs)
            return result

        return remember

    return wrapping


def _remembering_many(operation: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(operation)
    def remember(cache: Any, data: Any, *args: Any, **kwargs: Any) -> Any:
        result = operation(cache, data, *args, **kwargs)
        _remember(cache, data, args, kwargs)
        return result

    return remember


_REMEMBERING: dict[str, Callable[[Any], Any]] = {
    **{name: _remembering_one(name) for name in ("set", "add", "touch")},
    "set_many": _remembering_many,
}


def _remember(
    cache: Any, keys: Iterable[Any], given: tuple[Any, ...], named: dict[str, Any]
) -> None:
    maker = maker_of(cache)
    if maker is None:
        return
    section = maker.space.current()
    if section is None:
        return
    if not maker.space.is_asked:
        kind = f"{type(cache).__module__}.{type(cache).__qualname__}"
        notices.note(_KEYS_AS_THEY_ARE.format(alias=maker.space.alias, backend=kind))
        return
    timeout = given[0] if given else named.get("timeout", DEFAULT_TIMEOUT)
    version = given[1] if len(given) > 1 else named.get("version")
    if timeout is DEFAULT_TIMEOUT:
        timeout = cache.default_timeout
    dialect = maker.space.dialect
    assert isinstance(dialect, TimeoutsRemembered)
    expiry = dialect.expiry(cache, timeout)
    for key in keys:
        if not stands(key):
            maker.space.expiries[cache.make_key(key, version=version)] = expiry
