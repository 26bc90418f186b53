"""A look at all that hangs on a process's modules, and what has changed since.

Every container is copied, not what is in it: that is another container. So a look costs
about a microsecond for each, and a comparison half of that. What a module can't reach,
in frames of the program that runs tests for example, is nobody's state.

A look is taken once, before a process forks: then its forks agree on the numbers of
containers, and what one of them saw another one can put back.
"""

from __future__ import annotations

import ast
import functools
import gc
import os
import sys
import types
import unittest
import warnings
from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import groupby
from operator import attrgetter, is_
from types import MappingProxyType
from typing import Any, NamedTuple

from ci_cache_isolation.state.comparing import (
    MISSING,
    Contents,
    Kinds,
    Mark,
    can_be_key,
    derives,
    differences,
    is_a,
    is_literal,
    key_text,
)
from ci_cache_isolation.state.containers import (
    Attributes,
    Keyed,
    Kind,
    attributes_of,
    kinds_of,
)
from ci_cache_isolation.state.probes import PROBES
from ci_cache_isolation.state.rows import TABLES
from ci_cache_isolation.state.special import (
    SPECIAL,
    claimed_by,
    special_kind,
)
from ci_cache_isolation.state.walking import Walked, walked
from ci_cache_isolation.state.where import Where

__all__ = ["Change", "Container", "Look", "class_dictionary", "inside", "taken"]

_INSIDE: dict[type, tuple[str, ...]] = {
    types.MethodType: ("__self__", "__func__"),
    functools.partial: ("func", "args", "keywords"),
    property: ("fget", "fset", "fdel"),
    classmethod: ("__func__",),
    staticmethod: ("__func__",),
    types.FunctionType: ("__closure__", "__defaults__", "__kwdefaults__"),
    types.CellType: ("cell_contents",),
}
"""What built-in objects hold under names of their own."""
_OPEN = Kinds(dict, list, tuple)
"""Classes of most of what holds others: all that they hold can be reached."""
_INSIDE_BY_ID = {id(kind): names for kind, names in _INSIDE.items()}

# A class may refuse, as one with a slot that is read only.
_REFUSALS = (AttributeError, RuntimeError, TypeError, ValueError)
_RUNNERS_VARIABLES = ("CI_CACHE_ISOLATION", "PYTEST_", "COV_CORE_")
_OF_WARNINGS = ("_showwarnmsg_impl", "filters", "_filters_version", "showwarning")
_RUNNERS_ATTRIBUTES = frozenset({
    "_classSetupFailed", "_class_cleanups", "_cls_overridden_context",
    "_databases_names", "async_client", "atomics", "client", "cls_atomics", "databases",
    "server_thread", "tearDown_exceptions",
})  # fmt: skip


class Container(NamedTuple):
    """An object that holds state, in one way, and what it held."""

    node: int
    held: Any
    kind: Kind
    contents: Contents


class Change(NamedTuple):
    """What is not as it was: under a key, or as a whole where that is `MISSING`."""

    container: int
    key: Any
    before: Any
    after: Any

    @property
    def mark(self) -> Mark:
        """What identifies it in other forks of the same process."""
        return self.container, key_text(self.key)

    @property
    def how(self) -> str:
        """Whether it was added, removed or changed."""
        if self.key is MISSING:
            return "changed"
        if self.before is MISSING:
            return "added"
        return "removed" if self.after is MISSING else "changed"


class Look:
    """All containers that hang on modules, with what they held.

    ``nodes`` are all objects that lie between, nearest to a module first, and
    ``parents`` has for each of them the number of the one that led to it, -1 for a
    module. ``probes`` are the numbers of what no container holds, ``own`` those of
    containers that hang on modules, classes and functions of the project, with what is
    special; there are no others where only that is looked at. ``only`` names all
    modules that are looked into.
    """

    def __init__(
        self, where: Where = Where.ALL, *, only: Collection[str] | None = None
    ) -> None:
        found = Walked([TABLES], array("l", [-1]), ())
        if where is not Where.ROWS:
            found = walked(only=only, is_near=where is Where.NEAR)
        self.nodes, self.parents, self._others = found
        self.containers: list[Container] = list(self._found())
        self.probes = [
            at for at, each in enumerate(self.containers) if each.held is PROBES
        ]
        near = self.nodes
        if where is Where.ALL:
            near = walked(only=only, is_near=True).nodes
        own = set(map(id, near))
        self.own = [
            at for at, each in enumerate(self.containers) if id(each.held) in own
        ]

    def __len__(self) -> int:
        return len(self.containers)

    def changes(
        self,
        base: Mapping[int, Contents] = MappingProxyType({}),
        among: Iterable[int] | None = None,
        written: set[int] | None = None,
    ) -> list[Change]:
        """Return what differs from what was held, in all containers or in some.

        ``base`` has what counts for containers that were changed on purpose since. To
        ``written`` are added those that hold other objects, and nothing that differs.
        """
        found = []
        containers = self.containers
        for number in range(len(containers)) if among is None else among:
            _, held, kind, contents = containers[number]
            # What a thread writes all the time is left out.
            with suppress(RuntimeError):
                now = kind.read(held)
                before = base.get(number, contents) if base else contents
                if not _is_untouched(before, now):
                    told = [
                        Change(number, *each)
                        for each in differences(
                            before, now, has_sequence=kind.has_sequence
                        )
                        if not _is_of_runner(held, each[0])
                    ]
                    found += told
                    if written is not None and not told:
                        written.add(number)
        return found

    def held_now(self, numbers: Iterable[int]) -> dict[int, Contents]:
        """Return what some containers hold now: a base for later changes."""
        found = {}
        for number in numbers:
            with suppress(RuntimeError):
                _, held, kind, _ = self.containers[number]
                found[number] = kind.read(held)
        return found

    def put_back(
        self, marks: Iterable[Mark], base: Mapping[int, Contents] = MappingProxyType({})
    ) -> None:
        """Have containers hold what they held, where that takes nobody's code."""
        for number, text in marks:
            container = self.containers[number]
            if number in base:
                container = container._replace(contents=base[number])
            with suppress(*_REFUSALS):
                _put_back(container, text)

    def undo(
        self,
        changes: Iterable[Change],
        base: Mapping[int, Contents] = MappingProxyType({}),
    ) -> None:
        """Put back what changed, as `changes` tells it one container after another."""
        for number, group in groupby(changes, attrgetter("container")):
            container = self.containers[number]
            if number in base:
                container = container._replace(contents=base[number])
            with suppress(*_REFUSALS):
                _undo(container, [*group])

    def put(self, contents: Mapping[Mark, Any]) -> None:
        """Put values in place, or all that a container held where there is no key."""
        for (number, text), value in contents.items():
            _, held, kind, _ = self.containers[number]
            with suppress(*_REFUSALS):
                if text is None or not isinstance(kind, Keyed):
                    _write(held, kind, value)
                else:
                    kind.put(held, self.key_of(text), value)

    @staticmethod
    @functools.lru_cache(4096)
    def key_of(text: str) -> Any:
        """Return the key that a mark's text stands for."""
        return ast.literal_eval(text)

    def _found(self) -> Iterator[Container]:
        # The dictionary of an object is known as its attributes.
        owned = {id(each) for node in SPECIAL for each in claimed_by(node)}
        waiting: list[tuple[int, Any, Kind]] = []
        for number, node in enumerate(self.nodes):
            special = special_kind(node)
            for kind in (special,) if special else kinds_of(type(node)):
                if type(kind) is Attributes:
                    if kind.of is not None:
                        owned.add(id(kind.of(node)))
                elif kind.is_of_class:
                    if attributes_of(node) is None:
                        continue
                    owned.add(id(class_dictionary(node)))
                waiting.append((number, node, kind))
        for number, node, kind in waiting:
            if (
                id(node) not in owned
                and number not in self._others
                and self._is_held(number, kind)
            ):
                with suppress(RuntimeError):
                    yield Container(number, node, kind, kind.read(node))

    def _is_held(self, number: int, kind: Kind) -> bool:
        """Return whether Python can reach it: what C code holds must not be changed."""
        parent = self.parents[number]
        if parent < 0 or type(kind) is Attributes or kind.is_special:
            return True
        holder = self.nodes[parent]
        if type(holder) in _OPEN or inside(holder):
            return True
        ways = [each for each in kinds_of(type(holder)) if type(each) is Attributes]
        if not ways:
            return True
        node = self.nodes[number]
        return any(value is node for how in ways for value in how.read(holder)[1])


def inside(value: object) -> tuple[str, ...]:
    """Return the names by which a built-in object shows what it holds."""
    return _INSIDE_BY_ID.get(id(type(value)), ())


def class_dictionary(kind: type) -> Any:
    """Return the dictionary of a class, which only its class should write to."""
    return next((each for each in gc.get_referents(kind) if type(each) is dict), None)


def _is_of_runner(held: object, key: object) -> bool:
    """Return whether it is a runner that keeps something there, for each test anew."""
    if held is os.environ:
        return str(key).startswith(_RUNNERS_VARIABLES)
    if held is warnings:
        # pytest has others in force around each phase of a test.
        is_theirs = type(key) is str and key in _OF_WARNINGS
        return is_theirs and "_pytest.warnings" in sys.modules
    if type(key) is str and key in _RUNNERS_ATTRIBUTES and is_a(held, type):
        kind: Any = held
        return derives(kind, unittest.TestCase)
    return False


def _is_untouched(before: Contents, after: Contents) -> bool:
    keys, values = before
    now_keys, now = after
    if len(values) != len(now) or not all(map(is_, values, now)):
        return False
    return keys is None or now_keys is None or all(map(is_, keys, now_keys))


def _write(held: Any, kind: Kind, contents: Contents) -> None:
    """Have a container hold what it held, where that takes nobody's hash."""
    keys, values = contents
    hashed = keys if keys is not None else values if is_a(held, set) else ()
    if all(map(can_be_key, hashed)):
        kind.write(held, contents)


def _put_back(container: Container, text: str | None) -> None:
    _, held, kind, contents = container
    keys, values = contents
    if text is None or not isinstance(kind, Keyed):
        _write(held, kind, contents)
        return
    key = Look.key_of(text)
    found = (
        value
        for each, value in zip(keys or (), values, strict=True)
        if type(each) is type(key) and each == key
    )
    kind.put(held, key, next(found, MISSING))
    _put_in_sequence(container)


def _undo(container: Container, changes: list[Change]) -> None:
    _, held, kind, contents = container
    if not isinstance(kind, Keyed) or not all(is_literal(each.key) for each in changes):
        _write(held, kind, contents)
        return
    for each in changes:
        kind.put(held, each.key, each.before)
    if any(each.after is MISSING for each in changes):
        _put_in_sequence(container)


def _put_in_sequence(container: Container) -> None:
    """Have keys in the sequence in which they were, if nothing else differs."""
    _, held, kind, contents = container
    if kind.has_sequence:
        changes = differences(contents, kind.read(held), has_sequence=True)
        if [key for key, *_ in changes] == [MISSING]:
            _write(held, kind, contents)


@functools.cache
def taken(where: Where = Where.ALL) -> Look:
    """Return the look of this process and its forks, taken when first asked for."""
    return Look(where)
