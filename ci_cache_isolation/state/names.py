"""What a container is called: the shortest path to it from a module, as in Python.

``shop.pricing._rates['EUR']``, ``shop.cards.Card.limit``, ``os.environ['REGION']``. Of
several modules that have the same object, the one that defines it gives the name.
"""

from __future__ import annotations

import functools
import os
import re
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import suppress
from contextvars import ContextVar
from itertools import repeat
from operator import is_
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings

from ci_cache_isolation.state.comparing import (
    MISSING,
    class_vars,
    is_a,
    is_atom,
    key_text,
    module_vars,
)
from ci_cache_isolation.state.containers import (
    Attributes,
    attributes_of,
    kinds_of,
)
from ci_cache_isolation.state.look import Change, Look, class_dictionary, inside
from ci_cache_isolation.state.probes import PROBES
from ci_cache_isolation.state.rows import TABLES
from ci_cache_isolation.state.special import WRAPPED, special_kind

__all__ = ["Name", "Names"]

_UNNAMED = "[…]"
_FEW = 30
"""So many objects are looked for one by one."""
_OF_ROWS = "rows of {table}"
_KEY = re.compile(r"\[(b?(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"))\]")
"""A key in a name that is text or bytes."""


class Name(NamedTuple):
    """What a change is called, and the path by which it can be registered, '' if none.

    That is the container that holds it, unless it is a class, a module or an object,
    of whose attributes one is enough.
    """

    text: str
    path: str


class Names:
    """Gives changes that a look has seen their names.

    Keys in them are as ``hashed`` has them, if it is given.
    """

    def __init__(self, look: Look, hashed: Callable[[str], str] | None = None) -> None:
        self._look = look
        self._hashed = hashed
        self._bindings: dict[int, list[tuple[types.ModuleType, str]]] = {}
        self._is_indexed = False

    def of(self, change: Change) -> Name | None:
        """Return what a change is called; None where nothing leads to it any more."""
        node, held, kind, _ = self._look.containers[change.container]
        if held is PROBES or held is TABLES:
            return _of_no_object(held, change.key)
        path = self._path_to(node)
        if path is None:
            return None
        if held is settings:
            text = "settings" if change.key == WRAPPED else f"settings.{change.key}"
            return Name(text, text)
        if change.key is MISSING:
            return self._named(path, path)
        text = path + _key_label(held, kind, change.key)
        if special_kind(held) or is_a(held, type) or is_a(held, types.ModuleType):
            return self._named(text, text)
        # Of what holds entries all of them: another test leaves something else in it.
        # So of an object that got an attribute by a name that its code may not know.
        is_one = isinstance(kind, Attributes) and change.before is not MISSING
        return self._named(text, text if is_one else path)

    def _named(self, text: str, path: str) -> Name:
        is_open = _UNNAMED not in path and "<locals>" not in path
        if self._hashed is not None:
            text = _with_hashes(text, self._hashed)
            # Nobody can look for a hash.
            is_open = is_open and not _KEY.search(path)
        return Name(text, path if is_open else "")

    def _path_to(self, node: int) -> str | None:
        look, chain = self._look, [node]
        while (parent := look.parents[chain[-1]]) >= 0:
            chain.append(parent)
        chain.reverse()
        objects = [look.nodes[each] for each in chain]
        if len(objects) == 1:
            return _module_name(objects[0])
        steps = list(_steps(objects))
        if any(label is None for _, label in steps):
            return None
        # What a module holds may be another module's.
        for at in range(len(steps) - 1, -1, -1):
            target, _ = steps[at]
            if is_a(target, types.ModuleType):
                rest = "".join(str(label) for _, label in steps[at + 1 :])
                return _of_settings(_module_name(target) + rest)
        target, label = steps[0]
        first = self._definition(target) or f"{_module_name(objects[0])}{label}"
        return _of_settings(first + "".join(str(label) for _, label in steps[1:]))

    def _definition(self, target: Any) -> str | None:
        """Return the name of what modules hold in the module that defines it."""
        if is_atom(target):
            return None
        if id(target) not in self._bindings and len(self._bindings) < _FEW:
            self._bindings[id(target)] = list(_bindings_of(target))
        elif id(target) not in self._bindings and not self._is_indexed:
            self._index()
        found = self._bindings.get(id(target))
        if not found:
            return None
        module, name = min(found, key=lambda each: _rank(each[0], each[1], target))
        return f"{_module_name(module)}.{name}"

    def _index(self) -> None:
        """Find all names at once: to look for one takes a fortieth of that."""
        self._is_indexed = True
        self._bindings.clear()
        for module in _modules():
            for name, value in list(module_vars(module).items()):
                if type(name) is str and not is_atom(value):
                    self._bindings.setdefault(id(value), []).append((module, name))


def _bindings_of(target: Any) -> Iterator[tuple[Any, str]]:
    """Yield the modules that hold something, and how they call it."""
    for module in _modules():
        held = dict.copy(module_vars(module))
        if any(map(is_, held.values(), repeat(target))):
            for name, value in held.items():
                if value is target and type(name) is str:
                    yield module, name


def _modules() -> list[Any]:
    return [each for each in list(sys.modules.values()) if is_a(each, types.ModuleType)]


def _of_no_object(held: object, key: str) -> Name:
    """Return the name of what no container holds: tables can't be registered."""
    return Name(key, key) if held is PROBES else Name(_OF_ROWS.format(table=key), "")


def _with_hashes(text: str, hashed: Callable[[str], str]) -> str:
    """Return a name with hashes in the place of keys that are text."""
    return _KEY.sub(lambda found: f"[{hashed(found[1])}]", text)


def _steps(objects: list[Any]) -> Iterator[tuple[Any, str | None]]:
    """Yield what each step leads to, and how it is written; None for one that is gone.

    The dictionary of an object is no step of its own.
    """
    owner = objects[0]
    at = 1
    while at < len(objects):
        target = objects[at]
        if target is _vars(owner) and at + 1 < len(objects):
            at += 1
            target = objects[at]
        yield target, _label(owner, target)
        owner = target
        at += 1


def _vars(owner: Any) -> Any:
    """Return the dictionary that holds an object's attributes; for a class, its own."""
    how = attributes_of(owner)
    if isinstance(how, Attributes):
        return None if how.of is None else how.of(owner)
    return class_dictionary(owner) if is_a(owner, type) else None


def _label(owner: Any, target: Any) -> str | None:
    """Return how it is written that one object holds another."""
    special = special_kind(owner)
    for kind in (special,) if special else kinds_of(type(owner)):
        with suppress(RuntimeError):
            keys, values = kind.read(owner)
            for at, value in enumerate(values):
                if value is target:
                    return _key_label(owner, kind, keys[at] if keys else at)
    if type(owner) is tuple:
        return next(
            (f"[{at}]" for at, value in enumerate(owner) if value is target), _UNNAMED
        )
    for name in inside(owner):
        with suppress(AttributeError, ValueError):
            if getattr(owner, name) is target:
                return f".{name}"
    # Held in a way that has no name: by a C function, or a class by another one.
    is_its_own = is_a(owner, type) and type(target) is dict
    return "" if is_its_own else _UNNAMED


def _key_label(owner: Any, kind: Any, key: Any) -> str:
    if type(owner) is ContextVar:
        return ".get()"
    if owner is not os.environ and special_kind(owner):
        return f".{key}"
    if isinstance(kind, Attributes) or is_a(owner, type):
        return f".{key}" if type(key) is str else _UNNAMED
    if is_a(owner, set):
        return _UNNAMED
    text = key_text(key)
    return _UNNAMED if text is None else f"[{text}]"


def _of_settings(name: str) -> str:
    """Return a name as code has it that asks the settings, not the module they are in.

    They are the same objects.
    """
    module = os.environ.get("DJANGO_SETTINGS_MODULE", "")
    rest = name.removeprefix(f"{module}.") if module else name
    first = re.split(r"\W", rest, maxsplit=1)[0]
    return f"settings.{rest}" if rest != name and first.isupper() else name


def _module_name(module: Any) -> str:
    name = module_vars(module).get("__name__")
    return name if type(name) is str else "?"


def _rank(module: types.ModuleType, name: str, target: Any) -> tuple[Any, ...]:
    module_name = _module_name(module)
    own = None
    if is_a(target, type):
        own = class_vars(target).get("__module__")
    elif type(target) is types.FunctionType:
        own = target.__module__
    return (
        own != module_name if own else not _assigns(module, name),
        name.startswith("_") and module_name.startswith("_"),
        module_name.rpartition(".")[2].startswith(("test", "conftest")),
        module_name.count("."),
        module_name,
        name,
    )


def _assigns(module: types.ModuleType, name: str) -> bool:
    """Return whether a module's source assigns a name, and does not only import it."""
    with suppress(OSError, UnicodeDecodeError, AttributeError, TypeError):
        text = _source(str(module_vars(module).get("__file__")))
        return bool(
            re.search(rf"^\s*{re.escape(name)}\s*(:[^=\n]+)?=", text, re.MULTILINE)
        )
    return False


@functools.lru_cache(maxsize=64)
def _source(path: str) -> str:
    return Path(path).read_text(encoding="utf-8")
