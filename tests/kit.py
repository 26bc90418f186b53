"""A kit of calls: what a cache does in its sections, held against what it does plainly.

For any backend: it knows no store and no dialect, only Django's methods of a cache and
scopes that open and close. Whoever has two caches of one backend, one of them isolated,
can run it; pytest is not needed. Both caches may be in one place.
"""

from __future__ import annotations

import asyncio
import inspect
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from django.core.cache import BaseCache

__all__ = ["Broken", "Kit"]

Call = tuple[str, tuple[Any, ...], dict[str, Any]]
"""A method's name, and what it is called with."""

_MISSING = object()
# A key that nobody else uses, in which others' entries are looked for.
_FOREIGN = "kit-foreign"
_THREADS = 4


def call(name: str, *args: Any, **named: Any) -> Call:
    return name, args, named


CALLS: tuple[Call, ...] = (
    call("get", "absent"),
    call("get", "absent", "default"),
    call("get", "of-class"),
    call("get", "of-class", version=2),
    call("get_many", ["of-class", "number", "absent"]),
    call("has_key", "of-class"),
    call("__contains__", "absent"),
    call("set", "key", {"a": [1, None, "ünï"]}),
    call("get", "key"),
    call("set", "key", "other", 100),
    call("add", "key", "not stored"),
    call("add", "added", 1),
    call("get_many", ["key", "added"]),
    call("add", "of-class", "not stored"),
    call("set", "of-class", "changed"),
    call("get", "of-class"),
    call("incr", "number"),
    call("incr", "number", 10),
    call("decr", "number"),
    call("incr", "absent"),
    call("decr", "absent"),
    call("get", "number"),
    call("touch", "number", 1000),
    call("touch", "absent", 1000),
    call("get_or_set", "filled", "value"),
    call("get_or_set", "filled", "not stored"),
    call("set_many", {"one": 1, "two": 2}),
    call("set_many", {"one": 3}, 1000),
    call("get_many", ["one", "two"]),
    call("delete_many", ["two", "absent"]),
    call("get_many", ["one", "two"]),
    call("delete", "one"),
    call("delete", "one"),
    call("delete", "deleted"),
    call("get", "deleted"),
    call("set", "versioned", 1, version=2),
    call("get", "versioned"),
    call("get", "versioned", version=2),
    call("incr_version", "versioned", version=2),
    call("get", "versioned", version=3),
    call("incr_version", "absent"),
    call("set", "forever", 1, None),
    call("get", "forever"),
    call("set", "past", 1, -1),
    call("get", "past"),
    call("set", "none", None),
    call("get", "none", "default"),
    call("set", "a key with spaces", 1),
    call("get", "a key with spaces"),
    call("get", "k" * 300),
)
"""What is tried in a test. ``of-class``, ``number`` and ``deleted`` are its class's."""

ASYNCHRONOUS = frozenset({"get", "set", "add", "delete", "incr", "get_many", "has_key"})
SEEN = ["of-class", "number", "deleted", "key", "added", "one", "forever", "filled"]


@dataclass(frozen=True)
class Broken:
    """A promise that is not kept, and what showed it."""

    promise: str
    said: str


@dataclass(frozen=True)
class Kit:
    """Two caches of one backend and what opens scopes; ``broken()`` runs the calls.

    ``opened(name)`` opens a scope inside the innermost one, "class" or "test".
    ``foreign`` are entries of somebody else in the isolated cache's place, by a cache
    that is not isolated; None where there can be none.
    """

    plain: Any
    cache: Any
    opened: Callable[[str], AbstractContextManager[None]]
    foreign: Any = None

    def broken(self) -> list[Broken]:
        """Return the promises that this backend does not keep."""
        return list(self._broken())

    def _broken(self) -> Iterator[Broken]:
        if self.foreign is not None:
            self.foreign.set(_FOREIGN, "foreign", None)
        made: list[str] = []
        self.plain.set_many(_set_up())
        with self.opened("class"):
            self.cache.set_many(_set_up())
            made += self._made()
            yield from self._in_tests(made)
        if self.foreign is not None:
            left = [name for name in made if self._verbatim(name) is not None]
            if left:
                yield Broken("nothing is left", f"{left} are there afterwards")
        yield from self._foreign_is_there("the whole kit")

    def _in_tests(self, made: list[str]) -> Iterator[Broken]:
        with self.opened("test"):
            yield from self._same_outcomes()
            made += self._made()
        yield from self._as_class_left_it("after a test")
        for tried in (self._cleared, self._threads, self._coroutines, self._extras):
            with self.opened("test"):
                yield from tried()
                made += self._made()
            yield from self._as_class_left_it(f"after {tried.__name__.strip('_')}")
            yield from self._foreign_is_there(tried.__name__.strip("_"))

    def _same_outcomes(self) -> Iterator[Broken]:
        for name, args, named in CALLS:
            expected = outcome(self.plain, name, args, named)
            found = outcome(self.cache, name, args, named)
            if found != expected:
                said = f"{written(name, args, named)} gives {found}, plainly {expected}"
                yield Broken("outcomes are as plainly", said)
        key = self.cache.make_key("key")
        if type(key) is not str:
            yield Broken("keys are plain strings", f"{type(key)} reaches the backend")

    def _as_class_left_it(self, when: str) -> Iterator[Broken]:
        found = self.cache.get_many(SEEN)
        if found != _set_up():
            said = f"{when} the class sees {found}, it had stored {_set_up()}"
            yield Broken("a test's changes are undone", said)

    def _cleared(self) -> Iterator[Broken]:
        self.cache.set("key", 1)
        self.cache.clear()
        if left := self.cache.get_many(SEEN):
            yield Broken("clear() empties what the test sees", f"{left} is left")
        self.cache.set("key", 2)
        if self.cache.get("key") != 2:
            yield Broken("outcomes are as plainly", "after clear() set() does nothing")

    def _threads(self) -> Iterator[Broken]:
        found, expected = [], []
        for cache, seen in ((self.cache, found), (self.plain, expected)):
            outcome(cache, "set_many", (_set_up(),), {})
            with ThreadPoolExecutor(_THREADS) as threads:
                for _ in range(_THREADS):
                    seen.append(threads.submit(outcome, cache, "get", ("number",), {}))
            seen[:] = [kind_of(each.result()) for each in seen]
        if found != expected:
            said = f"get() gives {found} there, plainly {expected}"
            yield Broken("threads see the test's section", said)

    def _coroutines(self) -> Iterator[Broken]:
        self._set_up_plainly()
        for name, args, named in CALLS:
            if name in ASYNCHRONOUS:
                expected, found = (
                    asyncio.run(_awaited(each, f"a{name}", args, named))
                    for each in (self.plain, self.cache)
                )
                if found != expected:
                    said = written(f"a{name}", args, named)
                    said = f"{said} gives {found}, plainly {expected}"
                    yield Broken("coroutines are as plainly", said)

    def _extras(self) -> Iterator[Broken]:
        self._set_up_plainly()
        for name in extras(type(self.cache)):
            args = arguments(getattr(type(self.cache), name))
            if args is None:
                continue
            expected = outcome(self.plain, name, args, {})
            found = outcome(self.cache, name, args, {})
            if not _alike(expected, found):
                said = f"{written(name, args, {})} gives {found}, plainly {expected}"
                yield Broken("outcomes are as plainly", said)

    def _set_up_plainly(self) -> None:
        # clear() would reach the isolated one if both are on one server.
        for version in (None, 2, 3):
            self.plain.delete_many(_used(), version=version)
        self.plain.set_many(_set_up())

    def _foreign_is_there(self, when: str) -> Iterator[Broken]:
        if self.foreign is not None and self.foreign.get(_FOREIGN) != "foreign":
            yield Broken("others' entries are not touched", f"one is gone after {when}")
            self.foreign.set(_FOREIGN, "foreign", None)

    def _made(self) -> list[str]:
        return [self.cache.make_key(key) for key in SEEN]

    def _verbatim(self, name: str) -> Any:
        """Read what is stored under a name as the server has it."""
        before = self.foreign.key_func
        self.foreign.key_func = _as_it_is
        try:
            return self.foreign.get(name)
        finally:
            self.foreign.key_func = before


def outcome(cache: Any, name: str, args: Any, named: Any) -> tuple[str, Any]:
    """Return what a call returns, or raises, and what it warns of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = getattr(cache, name)(*args, **named)
        except Exception as error:  # noqa: BLE001 - whatever a backend raises
            result = f"{type(error).__name__}: {error}"
            said = "raises"
        else:
            said = "returns"
    return said, result if not caught else (
        result,
        [str(each.message) for each in caught],
    )


def kind_of(seen: tuple[str, Any]) -> tuple[str, Any]:
    """Return an outcome without what differs from thread to thread."""
    said, result = seen
    return (said, str(result).partition(":")[0]) if said == "raises" else seen


async def _awaited(cache: Any, name: str, args: Any, named: Any) -> tuple[str, Any]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            said, result = "returns", await getattr(cache, name)(*args, **named)
        except Exception as error:  # noqa: BLE001
            said, result = "raises", f"{type(error).__name__}: {error}"
    return said, result if not caught else (
        result,
        [str(each.message) for each in caught],
    )


def _texts(caught: list[warnings.WarningMessage]) -> list[str]:
    return [str(each.message) for each in caught]


def extras(cache_class: type) -> list[str]:
    """Return the public methods that a backend has and Django's caches have not."""
    return [
        name
        for name in dir(cache_class)
        if not name.startswith("_")
        and not hasattr(BaseCache, name)
        and inspect.isfunction(inspect.getattr_static(cache_class, name))
    ]


def arguments(method: Callable[..., Any]) -> tuple[Any, ...] | None:
    """Return what a method may be called with that works on one key, if it does."""
    _, *parameters = inspect.signature(method).parameters.values()
    needed = [each.name for each in parameters if each.default is each.empty]
    return ("of-class",) if needed == ["key"] else None


def written(name: str, args: Any, named: Any) -> str:
    given = [*map(repr, args), *(f"{each}={value!r}" for each, value in named.items())]
    return f"{name}({', '.join(given)})"


def _alike(one: tuple[str, Any], other: tuple[str, Any]) -> bool:
    if one == other:
        return True
    # What has no value to compare, like a lock or an open file.
    return type(one[1]) is type(other[1]) and type(one[1]).__eq__ is object.__eq__


def _set_up() -> dict[str, Any]:
    return {"of-class": "class", "number": 41, "deleted": [1, 2]}


def _used() -> list[str]:
    """Return all keys that are tried, but for those that memcached refuses."""
    keys = {key for _, args, _ in CALLS for key in args[:1] if isinstance(key, str)}
    return sorted(key for key in keys if " " not in key and len(key) < 200)


def _as_it_is(key: str, *_: Any) -> str:
    return key
