"""Keys with a section's id in front, by way of the function that makes all keys.

Every backend whose entries live on a server asks its ``key_func`` for every operation,
extras like locks, hashes and patterns included. So that is where the section comes in:
on the class, for objects that were made before and are held by anybody. What the
object itself holds stays what the user gave it, and a test may put another one there.
"""

from __future__ import annotations

import functools
import inspect
import sys
import threading
import weakref
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Any, Self, cast

from django.core.cache.backends.base import BaseCache, default_key_func

from ci_cache_isolation.isolation.keyspace import KeySpace
from ci_cache_isolation.isolation.sections import Use

__all__ = [
    "KEY_FUNCTION",
    "Attention",
    "KeyFunction",
    "KeyMaker",
    "OuterKeyMaker",
    "can_take",
    "made_by_user",
    "maker_of",
    "making_own_keys",
    "stands",
    "take",
]

KEY_FUNCTION = "key_func"
_MAKER = "_ci_cache_isolation_keys"
_WRAPPED = "_ci_cache_isolation_wrapped"
# Functions between the one that a caller asked for and the one that makes its key.
_MAKING = frozenset(
    {"make_key", "make_and_validate_key", "make_pattern", "make_key_in_section"}
    | {"__call__"}
    | {"<listcomp>", "<dictcomp>", "<setcomp>", "<genexpr>"}
)
# Operations after which nothing is stored that was not stored before. Those of
# asynchronous clients have the same names behind an "a".
_DELETING = frozenset({"delete", "delete_many", "delete_pattern"})
_SETTING = frozenset({"set", "_set", "set_many", "mset"})
_RENEWING = frozenset(
    {"touch", "expire", "pexpire", "expire_at", "pexpire_at", "persist"}
)
_READING = frozenset(
    {"get", "_get", "get_many", "mget", "has_key", "__contains__", "ttl", "pttl"}
    | {"keys", "iter_keys", "scan"}
    | {"scard", "sdiff", "sinter", "sismember", "smembers", "smismember", "sscan"}
    | {"sscan_iter", "sunion", "srandmember", "hget", "hlen", "hkeys", "hexists"}
    | {"zcard", "zcount", "zrange", "zrangebyscore", "zrank", "zrevrange", "zscore"}
    | {"zrevrangebyscore"}
)


class Attention:
    """Keys to use as they are, and whether any key was made, while it is entered.

    Nothing is put in front of ``names``: they are on the server already. They are plain
    strings, since a backend may check the type of a key, and they are known in all
    threads, since it may hand its work on to another one.
    """

    __slots__ = ("is_asked", "names")

    def __init__(self, names: Iterable[str] = ()) -> None:
        self.names = frozenset(names)
        self.is_asked = False

    def __enter__(self) -> Self:
        _attentive.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        _attentive.remove(self)


_attentive: list[Attention] = []


def stands(key: object) -> bool:
    """Return whether a key goes to the server as it is."""
    if not _attentive:
        return False
    for each in _attentive.copy():
        each.is_asked = True
        if type(key) is str and key in each.names:
            return True
    return False


class KeyMaker:
    """A cache's key function, as the cache sees it while isolation is on."""

    __slots__ = ("cache", "function", "space")

    def __init__(
        self, cache: object, function: Callable[..., str], space: KeySpace
    ) -> None:
        self.cache = weakref.ref(cache)
        self.function = function
        self.space = space

    def __call__(self, key: Any, *args: Any, **kwargs: Any) -> str:
        """Make a key, with the id of the section in use in front."""
        if _attentive and stands(key):
            return cast("str", key)
        made = self.function(key, *args, **kwargs)
        space = self.space
        if space.frame is space.frames.top:
            # What most calls find: a key that was used before in the section in use.
            full = space.known.get(made)
            if full is not None:
                return full
        return self.placed(made)

    def placed(self, made: str) -> str:
        """Return a key with the id of the section in use in front."""
        space = self.space
        section = space.section if space.frame is space.frames.top else space.enter()
        if section is None:
            return made
        if (
            not section.touched.get(made)
            or section.changed is not None
            or section.outdated
        ):
            caller = sys._getframe(2)  # noqa: SLF001 - there is no other way to ask
            space.touch(section, made, self.cache(), self._use(caller))
        full = section.id + made
        kept = space.keys.within(full)
        if (
            kept is full
            and section.touched.get(made)
            and section.changed is None
            and made not in section.outdated
        ):
            section.known[made] = full
        return kept

    def __reduce__(self) -> tuple[Any, ...]:
        return _found_again, (type(self), self.function, self.space)

    def __eq__(self, other: object) -> bool:
        return self.function == getattr(other, "function", other)

    def __hash__(self) -> int:
        return hash(self.function)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.function, name)

    def _use(self, caller: FrameType | None) -> Use:
        while caller is not None and caller.f_code.co_name in _MAKING:
            caller = caller.f_back
        if caller is None or caller.f_globals.get("__name__") not in self.space.modules:
            return Use.STORING
        name = caller.f_code.co_name
        for each in (name, name.removeprefix("a")):
            if each in _READING:
                return Use.READING
            if each in _DELETING:
                return Use.DELETING
            if each in _RENEWING:
                return Use.RENEWING
            if each in _SETTING and not caller.f_locals.get("nx"):
                return Use.SETTING
        return Use.STORING


class OuterKeyMaker(KeyMaker):
    """That of a class with a ``make_key`` of its own: the section goes in front of all.

    What such a method makes of a key may be a digest, in which no id is found again.
    """

    __slots__ = ()

    def __call__(self, key: Any, *args: Any, **kwargs: Any) -> str:
        """Make a key, in a section unless ``make_key`` is going to do that."""
        if self.is_within_make_key():
            return self.function(key, *args, **kwargs)
        return super().__call__(key, *args, **kwargs)

    def is_within_make_key(self) -> bool:
        """Return whether this thread is in the class's ``make_key``."""
        return getattr(_making, "space", None) is self.space


_making = threading.local()


def making_own_keys(make_key: Callable[..., str]) -> Callable[..., str]:
    """Wrap a ``make_key`` that a user's class brings along."""

    @functools.wraps(make_key)
    def make_key_in_section(cache: Any, key: Any, *args: Any, **kwargs: Any) -> str:
        maker = maker_of(cache)
        if not isinstance(maker, OuterKeyMaker) or maker.is_within_make_key():
            return make_key(cache, key, *args, **kwargs)
        if _attentive and stands(key):
            return cast("str", key)
        _making.space = maker.space
        try:
            made = make_key(cache, key, *args, **kwargs)
        finally:
            _making.space = None
        return maker.placed(made)

    make_key_in_section.__dict__[_WRAPPED] = True
    return make_key_in_section


class _Nobody:
    """Stands for the cache that a copied or pickled maker is going to belong to."""

    __slots__ = ("__weakref__",)


def _found_again(
    kind: type[KeyMaker], function: Callable[..., str], space: KeySpace | None
) -> KeyMaker | None:
    """Return the maker of a copied cache; None in a process that knows no such space.

    `maker_of` gives it to the cache that holds it.
    """
    return None if space is None else kind(_Nobody(), function, space)


class KeyFunction:
    """The attribute ``key_func`` of a class of caches: the object's own, in a section.

    An object that is unmanaged has its own one and no other, or the class's,
    which is ``below``.
    """

    def __init__(self, below: Any = None) -> None:
        self.below = below

    def __get__(self, cache: Any, owner: type | None = None) -> Any:
        if cache is None:
            return self
        maker = cache.__dict__.get(_MAKER)
        if maker is not None and maker.cache() is cache:
            return maker
        found = maker_of(cache) or vars(cache).get(KEY_FUNCTION)
        if found is None and hasattr(self.below, "__get__"):
            found = self.below.__get__(cache, owner)
        if found is None:
            name = type(cache).__name__
            text = f"{name!r} object has no attribute {KEY_FUNCTION!r}"
            raise AttributeError(text, name=KEY_FUNCTION, obj=cache)
        return found

    def __set__(self, cache: Any, function: Any) -> None:
        state = vars(cache)
        # A test that puts back what it found puts back ours.
        own = function.function if isinstance(function, KeyMaker) else function
        state[KEY_FUNCTION] = own
        if (maker := state.get(_MAKER)) is not None:
            state[_MAKER] = type(maker)(cache, own, maker.space)

    def __delete__(self, cache: Any) -> None:
        vars(cache).pop(KEY_FUNCTION, None)
        vars(cache).pop(_MAKER, None)


def maker_of(cache: Any) -> KeyMaker | None:
    """Return what makes a cache's keys, None where it is not in our hands."""
    state = vars(cache)
    maker: KeyMaker | None = state.get(_MAKER)
    if maker is not None and maker.cache() is not cache:
        # The object is a copy of the one that it was made for.
        maker = state[_MAKER] = type(maker)(cache, maker.function, maker.space)
    return maker


def can_take(cache: Any) -> bool:
    """Return whether a cache makes its keys in a way that can be taken in hand."""
    reached = inspect.getattr_static(type(cache), KEY_FUNCTION, None)
    return isinstance(reached, KeyFunction) and callable(
        getattr(cache, KEY_FUNCTION, None)
    )


def take(cache: Any, space: KeySpace) -> None:
    """Have a cache's keys made in the sections of a space."""
    make_key = getattr(type(cache), "make_key", None)
    kind = OuterKeyMaker if hasattr(make_key, _WRAPPED) else KeyMaker
    vars(cache).pop(_MAKER, None)
    vars(cache)[_MAKER] = kind(cache, getattr(cache, KEY_FUNCTION), space)


def made_by_user(cache: Any, key: Any, prefix: str, version: Any) -> str | None:
    """Return what a key function of the user's makes of a key, None without one.

    It may be a ``make_key`` of the user's class, which has its own prefix.
    """
    maker = maker_of(cache)
    make_key = getattr(type(cache), "make_key", None)
    if isinstance(maker, OuterKeyMaker):
        return maker.space.own_key(str(cache.make_key(key, version=version)))
    is_plain = maker is None and isinstance(cache, BaseCache)
    if is_plain and make_key is not BaseCache.make_key:
        return str(cache.make_key(key, version=version))
    function = getattr(cache, KEY_FUNCTION, None) if maker is None else maker.function
    if function is None or function is default_key_func:
        return None
    return str(function(key, prefix, version))
