"""All that hangs on a process's modules, or only on the project's own.

Two walks, since most of what tests leave is the project's, and that is one object out
of a hundred. What a module can't reach, in frames of the program that runs tests for
example, is nobody's state.
"""

from __future__ import annotations

import gc
import sys
import types
from array import array
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from ci_cache_isolation.state.comparing import (
    ATOMS,
    class_vars,
    derives,
    is_a,
    module_vars,
)
from ci_cache_isolation.state.own_files import is_own_module
from ci_cache_isolation.state.probes import PROBES
from ci_cache_isolation.state.special import held_by, special_kind

__all__ = ["Walked", "walked"]

_RUNNING = frozenset({
    # What runs tests, and what it keeps of them.
    "_pytest", "ci_cache_isolation", "coverage", "pluggy", "pytest", "pytest_django",
    "unittest", "xdist", "django.test",
    # Connections, and what Python remembers for itself.
    "django.db.backends", "django.db.utils",
    "_abc", "importlib", "_frozen_importlib", "_frozen_importlib_external",
    "linecache", "re",
    "selectors", "sqlite3", "threading", "tokenize", "typing", "zipimport",
})  # fmt: skip
"""Modules and packages that are not looked into, nor at objects of their classes."""

_LEAVES = frozenset(
    map(
        id,
        (
            *ATOMS.kinds,
            types.ClassMethodDescriptorType,
            types.CodeType,
            types.GetSetDescriptorType,
            types.MemberDescriptorType,
            types.MethodDescriptorType,
            types.WrapperDescriptorType,
        ),
    )
)
"""Classes, by their ids, of objects on which nothing hangs that could change."""


class Walked(NamedTuple):
    """Objects, nearest to a module first, each with the number of what led to it.

    That is -1 for a module. ``others`` are the numbers of modules that are there only
    because they lead to something.
    """

    nodes: list[Any]
    parents: array[int]
    others: Collection[int]


def walked(*, only: Collection[str] | None = None, is_near: bool = False) -> Walked:
    """Return what hangs on modules, those that are named if ``only`` is given.

    With ``is_near`` on the project's modules, classes and functions, and what is more
    than it looks where it hangs on any module.
    """
    return _Walk(only, is_near=is_near).result()


class _Walk:
    def __init__(self, only: Collection[str] | None, *, is_near: bool) -> None:
        self._only = only
        self._is_near = is_near
        self._nodes: list[Any] = []
        self._parents = array("l")
        self._seen: set[int] = set()
        self._others: list[int] = []
        # By the id of a class: it may have a hash of its own, by way of its class.
        self._known_kinds: dict[int, bool] = {}
        self._own_names: set[str] = set()
        # What is more than it looks is not looked into, near at hand.
        self._special = {id(PROBES)}
        self._meanings: dict[int, tuple[type, type | None]] = {}

    def result(self) -> Walked:
        nodes, parents = self._nodes, self._parents
        # Not this either.
        own = (nodes, parents, self._seen, sys.modules, self.__dict__)
        self._seen.update(map(id, own))
        self._begin()
        at = 0
        while at < len(nodes):
            node = nodes[at]
            if not self._is_near:
                self._follow(held_by(node), at)
            elif id(node) not in self._special:
                self._follow(gc.get_referents(node), at)
            at += 1
        return Walked(nodes, parents, frozenset(self._others))

    def _begin(self) -> None:
        """Add modules, and what else all begins with."""
        elsewhere = []
        for name, module in sorted(sys.modules.items(), key=_nearness):
            if id(module) in self._seen or not _is_module(module):
                continue
            self._seen.add(id(module))
            is_own = is_own_module(module)
            if is_own:
                self._own_names.add(name)
            if _is_ignored(name) or not self._is_wanted(name):
                self._seen.add(id(module_vars(module)))
            elif is_own or not self._is_near:
                self._add(module, -1)
            else:
                elsewhere.append(module)
        self._add(PROBES, -1)
        for module in elsewhere:
            self._add_special(module)

    def _follow(self, held: Iterable[Any], at: int) -> None:
        """Add what hangs on an object and was not seen."""
        seen = self._seen
        for each in held:
            if id(type(each)) not in _LEAVES and id(each) not in seen:
                seen.add(id(each))
                if self._is_looked_at(each):
                    self._add(each, at)

    def _add(self, node: Any, parent: int) -> int:
        self._nodes.append(node)
        self._parents.append(parent)
        return len(self._nodes) - 1

    def _add_special(self, module: Any) -> None:
        """Add what is more than it looks in a module of others; the rest is theirs."""
        variables = module_vars(module)
        self._seen.add(id(variables))
        at = -1
        for value in list(variables.values()):
            if id(type(value)) in _LEAVES or id(value) in self._seen:
                continue
            if special_kind(value) is not None:
                if at < 0:
                    at = self._add(module, -1)
                    self._others.append(at)
                self._add(value, at)
                self._seen.add(id(value))
                self._special.add(id(value))
            elif not self._is_own(value, is_own_if_neither=False):
                self._seen.add(id(value))

    def _is_looked_at(self, value: Any) -> bool:
        if self._is_of_ignored(type(value)):
            return False
        if not self._is_near:
            return True
        if special_kind(value) is not None:
            self._special.add(id(value))
            return True
        return self._is_own(value, is_own_if_neither=True)

    def _is_own(self, value: Any, *, is_own_if_neither: bool) -> bool:
        """Return whether a class or function is the project's; a module never is."""
        kind = type(value)
        meaning = self._meanings.get(id(kind))
        if meaning is None:
            # The class is kept, so that its id stays its own.
            meaning = self._meanings[id(kind)] = kind, _meaning(kind)
        if meaning[1] is None:
            return is_own_if_neither
        if meaning[1] is types.ModuleType:
            return False
        if meaning[1] is types.FunctionType:
            module: object = value.__module__
        else:
            module = class_vars(value).get("__module__")
        return type(module) is str and module in self._own_names

    def _is_wanted(self, module: str) -> bool:
        return self._only is None or module in self._only

    def _is_of_ignored(self, kind: type) -> bool:
        if id(kind) not in self._known_kinds:
            module = class_vars(type)["__module__"].__get__(kind)
            # Unbound: a class may have made anything of it.
            name = module if type(module) is str else ""
            self._known_kinds[id(kind)] = name != "builtins" and _is_ignored(name)
        return self._known_kinds[id(kind)]


def _meaning(kind: type) -> type | None:
    """Return what objects of a class are, if a module says what they are: or None."""
    found = (types.FunctionType, type, types.ModuleType)
    return next((each for each in found if derives(kind, each)), None)


def _is_ignored(module: str) -> bool:
    package = module
    while package:
        if package in _RUNNING:
            return True
        package = package.rpartition(".")[0]
    return False


def _is_module(value: object) -> bool:
    """Return whether it is one: tests put all kinds of things among the modules."""
    return is_a(value, types.ModuleType)


def _nearness(named: tuple[str, object]) -> tuple[bool, bool, int]:
    """Return what puts modules first by which people would name what they hold."""
    name, module = named
    parts = name.split(".")
    return (
        not is_own_module(module),
        any(each.startswith("_") for each in parts),
        len(parts),
    )
