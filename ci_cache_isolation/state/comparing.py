"""Values and contents compared: by what they are, never by what they say they equal.

A comparison, a hash or an attribute of a user's class may run anything, so none is
asked for. What is told apart is objects, and of atoms, as text and numbers are, values.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

__all__ = [
    "ATOMS",
    "MISSING",
    "Contents",
    "Kinds",
    "Mark",
    "can_be_key",
    "class_vars",
    "classes_of",
    "derives",
    "differences",
    "is_a",
    "is_atom",
    "is_literal",
    "is_same",
    "key_text",
    "module_vars",
    "vars_of_classes",
]

MISSING: Any = object()
"""Stands for what is not there."""

Mark = tuple[int, str | None]
"""A container's number, and the text of a key, None for all that it holds."""

Contents = tuple[tuple[Any, ...] | None, tuple[Any, ...]]
"""The keys, None where there are none, and the values: as they were at some time."""


class Kinds:
    """A set of built-in classes, told by identity: a class may have its own hash."""

    __slots__ = ("_ids", "kinds")

    def __init__(self, *kinds: type) -> None:
        self.kinds = kinds
        self._ids = frozenset(map(id, kinds))

    def __contains__(self, kind: object) -> bool:
        return id(kind) in self._ids


ATOMS = Kinds(str, int, float, complex, bytes, bool, type(None), type(Ellipsis), range)
"""Classes whose objects are what they say, and nothing more."""
classes_of: Callable[[type], tuple[type, ...]] = type.__dict__["__mro__"].__get__
"""Returns a class and those that it is derived from, whatever its own class says."""
_MODULE: Any = types.ModuleType
module_vars: Callable[[Any], dict[str, Any]] = _MODULE.__dict__["__dict__"].__get__
"""Returns what a module holds, whatever its class makes of that."""
class_vars: Callable[[type], Mapping[str, Any]] = type.__dict__["__dict__"].__get__
"""Returns what a class itself holds, by name."""
_HASH = object.__hash__


def is_a(value: object, kind: type) -> bool:
    """Return whether a value is of a class, whatever its own `__class__` says."""
    return derives(type(value), kind)


def derives(kind: type, base: type) -> bool:
    """Return whether a class is another one, or derived from it."""
    # By identity: a comparison of classes is their own class's affair.
    return any(each is base for each in classes_of(kind))


def is_atom(value: object) -> bool:
    """Return whether a value is of a kind that is what it says, and nothing more."""
    return type(value) in ATOMS


def is_same(before: object, after: object) -> bool:
    """Return whether nothing was written: the same object, or an equal atom."""
    if before is after:
        return True
    kind = type(before)
    return kind is type(after) and kind in ATOMS and bool(before == after)


def can_be_key(key: object) -> bool:
    """Return whether a dictionary can look for a key without running anybody's code."""
    kind = type(key)
    if kind in ATOMS:
        return True
    if kind is tuple:
        return all(map(can_be_key, key))  # type: ignore[call-overload]
    found = next(
        (vars_["__hash__"] for vars_ in vars_of_classes(kind) if "__hash__" in vars_), 0
    )
    return found is _HASH


def vars_of_classes(kind: type) -> Iterable[Mapping[str, Any]]:
    """Return what a class holds, then those that it is derived from."""
    return map(class_vars, classes_of(kind))


def key_text(key: object) -> str | None:
    """Return what a key looks like in Python, None for one that has no such form."""
    if key is MISSING or not is_literal(key):
        return None
    return repr(key)


def is_literal(key: object) -> bool:
    """Return whether a key can be written down, and read again."""
    if type(key) is tuple:
        return all(map(is_literal, key))
    return is_atom(key) and type(key) not in {range, type(Ellipsis), complex}


def differences(
    before: Contents, after: Contents, *, has_sequence: bool = False
) -> list[tuple[Any, Any, Any]]:
    """Return what differs: keys, and the values before and after, or `MISSING`.

    With ``has_sequence`` also that keys are in another sequence, if nothing else does.

    Of what has no keys, or has keys that can't be told apart, it is all or nothing,
    under the key `MISSING`.
    """
    keys, values = before
    now_keys, now = after
    if keys is None or now_keys is None:
        return [] if _are_same(values, now) else [(MISSING, before, after)]
    if len(keys) == len(now_keys) and _are(keys, now_keys) and _are(values, now):
        return []
    was = {_token(key): (key, value) for key, value in zip(keys, values, strict=True)}
    has = {_token(key): (key, value) for key, value in zip(now_keys, now, strict=True)}
    found = []
    for token, (key, value) in was.items():
        other = has.get(token, (key, MISSING))[1]
        if not is_same(value, other):
            found.append((key, value, other))
    added = (has[token] for token in has if token not in was)
    found += [(key, MISSING, value) for key, value in added]
    if has_sequence and not found and list(was) != list(has):
        return [(MISSING, before, after)]
    return found


def _are(before: Sequence[object], after: Sequence[object]) -> bool:
    return all(one is other for one, other in zip(before, after, strict=True))


def _are_same(before: Sequence[object], after: Sequence[object]) -> bool:
    return len(before) == len(after) and all(map(is_same, before, after))


def _token(key: object) -> object:
    """Return what identifies a key: the key itself would be asked for its hash."""
    kind = type(key)
    if kind in ATOMS:
        return kind, key
    if kind is tuple:
        return tuple(map(_token, key))  # type: ignore[call-overload]
    return id(key)
