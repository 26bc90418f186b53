"""What django-redis and django-valkey have beyond Django, as looks and stores.

Their bulk methods are there too: `mget` and `mset` are Django's under another name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT

from ci_cache_isolation.evidence.called import Called

__all__ = ["EXTRAS", "get_many", "listed", "set_many"]


def get_many(call: Called) -> None:
    """Note that several keys were read."""
    version = call.given(1, "version")
    for key in listed(call.given(0, "keys", ())):
        hit = key in call.result if isinstance(call.result, Mapping) else None
        call.recording.look(call.cache, key, version, call.operation, hit=hit)


def set_many(call: Called) -> None:
    """Note that something was stored under several keys."""
    version = call.given(2, "version")
    failed = set(call.result) if isinstance(call.result, Iterable) else set()
    for key in () if call.has_failed else call.given(0, "data", ()):
        if key not in failed:
            call.store(key, version, call.given(1, "timeout", DEFAULT_TIMEOUT))


def _read(call: Called) -> None:
    """Note an extra of django-redis or django-valkey that changes nothing."""
    call.look(call.kwargs.get("version"), hit=None)


def _change(call: Called) -> None:
    """Note an extra that depends on what is there, and changes it."""
    version = call.kwargs.get("version")
    call.look(version, hit=None)
    if not call.has_failed:
        call.store(call.key, version, None)


def _read_sets(call: Called) -> None:
    """Note that several sets were read, each an argument."""
    _look_at_all(call, call.args, call.kwargs.get("version"))


def _store_set(call: Called) -> None:
    """Note that a set was made of others; its own name comes first."""
    version = call.kwargs.get("version")
    keys, target = call.kwargs.get("version_keys"), call.kwargs.get("version_dest")
    destination, *sources = call.args or (call.kwargs.get("dest"),)
    _look_at_all(call, sources, keys or version)
    if not call.has_failed:
        call.store(destination, target or version, None)


def _move(call: Called) -> None:
    """Note that a member of one set went to another."""
    version = call.given(3, "version")
    both = [call.given(0, "source"), call.given(1, "destination")]
    _look_at_all(call, both, version)
    for key in () if call.has_failed else both:
        call.store(key, version, None)


def _look_at_all(call: Called, keys: Iterable[Any], version: Any) -> None:
    for key in keys:
        call.recording.look(call.cache, key, version, call.operation, hit=None)


def _change_version(call: Called) -> None:
    """Note that an entry went from one version to another."""
    old = call.given(2, "version")
    call.look(old, hit=not call.has_failed)
    if not call.has_failed:
        call.recording.delete(call.cache, call.key, old, call.operation)
        # It keeps the timeout that it had, which is not known here.
        call.store(call.key, call.result, None)


def _search(call: Called) -> None:
    pattern = call.given(0, "search", call.kwargs.get("pattern"))
    if isinstance(pattern, str):
        version = call.given(_VERSION_AT[call.operation], "version")
        deletes = call.operation == "delete_pattern"
        prefix = call.given(2, "prefix") if deletes else None
        call.recording.search(
            call.cache,
            pattern,
            version,
            prefix,
            call.operation,
            deletes=deletes and not call.has_failed,
        )


def listed(keys: Any) -> Iterable[Any]:
    """Return the keys that a method was given."""
    # What can be read only once has been read.
    return keys if isinstance(keys, (list, tuple, set, frozenset, Mapping)) else ()


_READING = (
    *("ttl", "pttl", "hget", "hgetall", "hkeys", "hlen", "hexists"),
    *("srandmember", "sscan", "sscan_iter"),
    *("scard", "smembers", "sismember", "smismember"),
    *("zcard", "zcount", "zrange", "zrangebyscore", "zrank", "zscore"),
    *("zrevrange", "zrevrangebyscore"),
)
_CHANGING = (
    *("expire", "pexpire", "expire_at", "pexpire_at", "persist"),
    *("lock", "get_lock"),
    *("hset", "hdel", "sadd", "srem", "spop"),
    *("zadd", "zincrby", "zrem", "zpopmin", "zpopmax"),
    *("zremrangebyscore", "zremrangebyrank"),
)
_VERSION_AT = {"keys": 1, "delete_pattern": 1, "iter_keys": 3}
EXTRAS: Mapping[str, Callable[[Called], None]] = {
    "mget": get_many,
    "mset": set_many,
    "incr_version": _change_version,
    "decr_version": _change_version,
    "smove": _move,
    **dict.fromkeys(_READING, _read),
    **dict.fromkeys(_CHANGING, _change),
    **dict.fromkeys(("sdiff", "sinter", "sunion"), _read_sets),
    **dict.fromkeys(("sdiffstore", "sinterstore", "sunionstore"), _store_set),
    **dict.fromkeys(_VERSION_AT, _search),
}
