"""Any cache that makes its keys by ``key_func``: what all caches can do is used."""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Iterable
from typing import TYPE_CHECKING, Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT

from ci_cache_isolation.isolation import notices
from ci_cache_isolation.isolation.clocks import Deadline, Expiry
from ci_cache_isolation.isolation.dialects.base import Dialect
from ci_cache_isolation.isolation.keys import Verbatim, maker_of

if TYPE_CHECKING:
    from ci_cache_isolation.isolation.keyspace import KeySpace
    from ci_cache_isolation.isolation.patches import Patches

__all__ = ["GenericDialect", "TimeoutsRemembered", "remember_as"]

_MISSING = object()
_SERVER_ATTRIBUTES = ("_servers", "_server", "_location", "location", "_table", "_dir")
_KEYS_AS_THEY_ARE = (
    "Cache {alias!r} is not isolated: its backend {backend} does not make its keys by "
    "make_key() or key_func(). Tests and processes meet each other's entries in it. "
    "Have it call make_key(), or use LocMemCache for it in your test settings."
)
_OPERATIONS = ("get", "set", "add", "delete", "clear")


class TimeoutsRemembered(Dialect):
    """For servers that don't tell how long an entry still has to live.

    Then the timeout that was given when it was stored is remembered here.
    """

    def patch(self, patches: Patches, cache_class: type) -> None:
        """Wrap the operations that take a timeout as well."""
        super().patch(patches, cache_class)
        for name in ("set", "add", "touch"):
            for owner in self.owners(cache_class, name):
                patches.wrap(owner, name, _remembering_one(name))
        for owner in self.owners(cache_class, "set_many"):
            patches.wrap(owner, "set_many", _remembering_many)

    def expiry(self, cache: Any, timeout: float | None) -> Expiry:  # noqa: ARG002
        """Return when an entry expires that is stored now."""
        return None if timeout is None else Deadline(timeout)


class GenericDialect(TimeoutsRemembered):
    """Caches of which nothing is known but Django's own methods."""

    @staticmethod
    def speaks(cache_class: type) -> bool:
        """Tell whether the class has what every cache has, and nothing disabled."""
        return all(callable(getattr(cache_class, name, None)) for name in _OPERATIONS)

    def server(self, cache: Any) -> Hashable:
        """Return its LOCATION, as far as it can be seen; or its class alone."""
        found = (vars(cache).get(name) for name in _SERVER_ATTRIBUTES)
        location = next((each for each in found if each is not None), "")
        kind = type(cache)
        return f"{kind.__module__}.{kind.__qualname__}", str(location)

    def location(self, cache: Any) -> str:
        """Return its LOCATION, as far as it can be seen."""
        from ci_cache_isolation.isolation.redaction import redacted  # noqa: PLC0415

        return redacted(self.server(cache)[1])  # type: ignore[index]

    def copy(self, space: KeySpace, cache: Any, source: str, target: str) -> None:
        """Get it and add it again."""
        value = type(cache).get(cache, Verbatim(source), _MISSING)
        if value is not _MISSING:
            timeout = _time_left(space, source, cache.default_timeout)
            type(cache).add(cache, Verbatim(target), value, timeout)
            remember_as(space, source, target)

    def connect(self, cache: Any) -> None:
        """Have a cache in nobody's hands take its keys as they are."""
        if maker_of(cache) is None:
            cache.key_func = lambda key, *_: key

    def delete(self, cache: Any, names: list[str]) -> None:
        """Delete them by the cache's own method."""
        keys = [Verbatim(name) for name in names]
        if hasattr(type(cache), "delete_many"):
            type(cache).delete_many(cache, keys)
        else:
            for key in keys:
                type(cache).delete(cache, key)


def _time_left(space: KeySpace, full: str, default: float | None) -> float | None:
    """Return for how many seconds an entry that was found is still stored."""
    expiry = space.expiries.get(full, _MISSING)
    if not isinstance(expiry, Deadline):
        return default if expiry is _MISSING else None
    # Nobody says which clock the backend goes by. If the tests' were it, one that has
    # expired there would not have been found.
    left = expiry.seconds_seen()
    return max(left if left > 0 else expiry.seconds(), 1)


def remember_as(space: KeySpace, source: str, target: str) -> None:
    """Take note that what stands at a target lives as long as what it is a copy of."""
    if source in space.expiries:
        space.expiries[target] = space.expiries[source]


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
        if type(key) is not Verbatim:
            maker.space.expiries[cache.make_key(key, version=version)] = expiry
