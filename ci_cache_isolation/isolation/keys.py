"""Keys with a section's id in front, by way of the function that makes all keys.

Every backend whose entries live on a server asks its ``key_func`` for every operation,
extras like locks, hashes and patterns included. So that is where the section comes in:
on the class, for objects that were made before and are held by anybody. What the
object itself holds stays what the user gave it, and a test may put another one there.
"""

from __future__ import annotations

import hashlib
import sys
import weakref
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any

from ci_cache_isolation.isolation.process import SECTION_LENGTH

if TYPE_CHECKING:
    from ci_cache_isolation.isolation.keyspace import KeySpace

__all__ = [
    "KEY_FUNCTION",
    "KeyFunction",
    "KeyMaker",
    "Verbatim",
    "maker_of",
    "own_key",
    "take",
    "within",
]

KEY_FUNCTION = "key_func"
_MAKER = "_ci_cache_isolation_keys"
_DIGEST_LENGTH = 32
# Functions between the one that a caller asked for and the one that makes its key.
_MAKING = frozenset(
    {"make_key", "make_and_validate_key", "make_pattern"}
    | {"<listcomp>", "<dictcomp>", "<setcomp>", "<genexpr>"}
)
# Operations after which nothing is stored that was not stored before.
_STORING_NOTHING = frozenset(
    {"get", "_get", "get_many", "mget", "has_key", "__contains__", "ttl", "pttl"}
    | {"delete", "delete_many", "delete_pattern", "keys", "iter_keys", "scan"}
    | {"scard", "sdiff", "sinter", "sismember", "smembers", "smismember", "sscan"}
    | {"sscan_iter", "sunion", "srandmember", "hget", "hlen", "hkeys", "hexists"}
    | {"zcard", "zcount", "zrange", "zrangebyscore", "zrank", "zrevrange", "zscore"}
    | {"zrevrangebyscore"}
)


class Verbatim(str):
    """A key as it stands on the server: nothing is put in front of it."""

    __slots__ = ()


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
        if type(key) is Verbatim:
            return str(key)
        made = self.function(key, *args, **kwargs)
        space = self.space
        section = space.section if space.frame is space.frames.top else space.enter()
        if section is None:
            return made
        if not section.touched.get(made):
            caller = sys._getframe(1)  # noqa: SLF001 - there is no other way to ask
            space.touch(
                section, made, self.cache(), is_storing=self._is_storing(caller)
            )
        return within(space, section.id + made)

    def __eq__(self, other: object) -> bool:
        return self.function == getattr(other, "function", other)

    def __hash__(self) -> int:
        return hash(self.function)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.function, name)

    def _is_storing(self, caller: FrameType | None) -> bool:
        while caller is not None and caller.f_code.co_name in _MAKING:
            caller = caller.f_back
        return (
            caller is None
            or caller.f_code.co_name not in _STORING_NOTHING
            or caller.f_globals.get("__name__") not in self.space.modules
        )


class KeyFunction:
    """The attribute ``key_func`` of a class of caches: the object's own, in a section.

    An object that is in nobody's hands has its own one and no other.
    """

    def __get__(self, cache: Any, owner: type | None = None) -> Any:
        if cache is None:
            return self
        state = vars(cache)
        try:
            return state.get(_MAKER) or state[KEY_FUNCTION]
        except KeyError:
            name = type(cache).__name__
            text = f"{name!r} object has no attribute {KEY_FUNCTION!r}"
            raise AttributeError(text, name=KEY_FUNCTION, obj=cache) from None

    def __set__(self, cache: Any, function: Any) -> None:
        state = vars(cache)
        # A test that puts back what it found puts back ours.
        own = function.function if type(function) is KeyMaker else function
        state[KEY_FUNCTION] = own
        if (maker := state.get(_MAKER)) is not None:
            state[_MAKER] = KeyMaker(cache, own, maker.space)

    def __delete__(self, cache: Any) -> None:
        vars(cache).pop(KEY_FUNCTION, None)
        vars(cache).pop(_MAKER, None)


def maker_of(cache: Any) -> KeyMaker | None:
    """Return what makes a cache's keys, None where it is not in our hands."""
    maker: KeyMaker | None = vars(cache).get(_MAKER)
    return maker


def take(cache: Any, space: KeySpace) -> None:
    """Have a cache's keys made in the sections of a space."""
    vars(cache)[_MAKER] = KeyMaker(cache, vars(cache)[KEY_FUNCTION], space)


def within(space: KeySpace, full: str) -> str:
    """Keep a key within the limit that it would not pass without its section's id."""
    limit = space.key_limit
    if limit is None or (len(full) <= limit and full.isascii()):
        return full
    encoded = full.encode("utf-8", "surrogatepass")
    # If the user's own key is too long, that is for the backend to say.
    if not limit < len(encoded) <= limit + SECTION_LENGTH:
        return full
    digest = hashlib.blake2b(encoded, digest_size=_DIGEST_LENGTH // 2).hexdigest()
    kept = encoded[: limit - _DIGEST_LENGTH].decode("utf-8", "ignore")
    space.shortened[kept + digest] = full[SECTION_LENGTH:]
    return kept + digest


def own_key(key: str, space: KeySpace) -> str:
    """Return the user's key behind one that was made in a section."""
    section = space.current()
    if section is None or not key.startswith(section.id):
        return key
    return space.shortened.get(key, key[SECTION_LENGTH:])
