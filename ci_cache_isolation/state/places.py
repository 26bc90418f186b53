"""Places in a process by their names: what is kept there, and put back.

``shop.pricing._rates``, ``shop.cards.Card.limit``, ``shop.index['a'][0]``,
``os.environ['REGION']``, ``settings``, ``os.getcwd()``. A name is read as Python reads
it, and nothing in it is run: it is followed step by step, from a module on.
"""

from __future__ import annotations

import ast
import difflib
import sys
import types
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from itertools import chain
from operator import is_
from typing import Any, NamedTuple

from ci_cache_isolation.state.comparing import (
    ATOMS,
    MISSING,
    Contents,
    Kinds,
    can_be_key,
    class_vars,
    classes_of,
    differences,
    is_a,
    is_literal,
    vars_of_classes,
)
from ci_cache_isolation.state.containers import (
    Keyed,
    Kind,
    kinds_of,
)
from ci_cache_isolation.state.look import inside
from ci_cache_isolation.state.probes import PROBES, Probes
from ci_cache_isolation.state.special import special_kind

__all__ = ["Kept", "Place", "WrongPlaceError", "merged"]

_PROBES = Probes()
_SHORT: dict[str, str] = {"settings": "django.conf.settings"}
_NO_NAME = (
    "{text!r} is no name of a place in a process. Write it as Python would: "
    "shop.pricing._rates, shop.cards.Card.limit, os.environ['REGION'] or settings"
)
_NO_MODULE = "no module {name!r} can be imported ({error})"
_NOT_THERE = "{owner} has no {name!r}{nearest}"
_SIMILAR = 0.75


class WrongPlaceError(ValueError):
    """A name that leads nowhere. Its text says what is wrong, and what is nearest."""


class _Step(NamedTuple):
    """One step on the way: to an attribute, or to what is held under a key."""

    key: Any
    is_attribute: bool

    def __str__(self) -> str:
        return f".{self.key}" if self.is_attribute else f"[{self.key!r}]"


class Kept(NamedTuple):
    """What was at a place: the object, and what it held in each of its ways."""

    value: Any
    contents: tuple[tuple[Kind, Contents], ...]


_NOTHING = Kept(MISSING, ())


class Place:
    """A place by its name. `WrongPlaceError` for one that can't be right.

    It may have nothing in it yet: code that sets an attribute may not have run.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._at: Any = None
        self._kind: Keyed | None = None
        self._module = ""
        self._steps: Sequence[_Step] = ()
        if text not in PROBES:
            names, steps = _parsed(text)
            self._module, self._steps = _imported(text, names, steps)
            self._check()

    def keep(self) -> Kept:
        """Return what is there now, to be put back."""
        holder, kind, key = self._holder()
        if kind is None:
            return _NOTHING if holder is MISSING else Kept(holder, _contents(holder))
        value = kind.get(holder, key)
        if type(value) in _PLAIN or is_a(value, type):
            return Kept(value, ())
        return Kept(value, _contents(value))

    def put_back(self, kept: Kept) -> None:
        """Have it be as it was, in place, where it is not."""
        holder, kind, key = self._holder()
        value, contents = kept
        if kind is not None and kind.get(holder, key) is not value:
            kind.put(holder, key, value)
        for how, held in contents:
            keys, values = how.read(value)
            was, had = held
            if (
                len(values) != len(had)
                or not all(map(is_, values, had))
                or (was is not None and not all(map(is_, keys or (), was)))
            ):
                how.write(value, held)

    def _holder(self) -> tuple[Any, Keyed | None, Any]:
        """Return what holds it, how, and under which key; `MISSING` if it is gone."""
        if not self._module:
            return PROBES, _PROBES, self.text
        at = sys.modules.get(self._module, MISSING)
        if not self._steps:
            return at, None, None
        *way, last = self._steps
        for step in way:
            at = _followed(at, step)
        if at is not self._at:
            # Hardly ever another one than the last time.
            self._at, self._kind = at, _holding(at, last)
        kind = self._kind
        # What is in a tuple or a list is changed in place, or with all of that.
        return (
            (_followed(at, last), None, None) if kind is None else (at, kind, last.key)
        )

    def _check(self) -> None:
        """Say so where a step leads nowhere and never will, as far as can be told."""
        at: Any = sys.modules[self._module]
        owner = self._module
        for number, step in enumerate(self._steps):
            found = _followed(at, step)
            if found is MISSING:
                is_last = number + 1 == len(self._steps)
                self._check_missing(at, owner, step, is_last=is_last)
                return
            at, owner = found, f"{owner}{step}"

    def _check_missing(
        self, at: Any, owner: str, step: _Step, *, is_last: bool
    ) -> None:
        names = list(_names_in(at, is_attribute=step.is_attribute))
        near = difflib.get_close_matches(str(step.key), names, 1, _SIMILAR)
        if is_last and _holding(at, step) is not None:
            is_open = special_kind(at) is not None and not near
            comes_and_goes = not step.is_attribute or is_open
            if comes_and_goes or _is_mentioned(at, str(step.key)):
                return
        nearest = (
            f". The nearest is {owner}{_Step(near[0], is_attribute=True)}"
            if near
            else ""
        )
        raise WrongPlaceError(
            _NOT_THERE.format(owner=owner, name=step.key, nearest=nearest)
        )


_WRAPPED_FUNCTIONS = Kinds(staticmethod, classmethod)
_SEQUENCES = ((tuple, tuple.__getitem__), (list, list.__getitem__))
_PLAIN = Kinds(
    *(*ATOMS.kinds, tuple, type, type(MISSING)),
    *(types.FunctionType, types.ModuleType),
)
"""Kinds of values that are kept as they are: nobody puts a module's own state back."""


def _parsed(text: str) -> tuple[list[str], list[_Step]]:
    """Return the names that a text begins with, and the steps after them."""
    try:
        at: ast.expr = ast.parse(_SHORT.get(text, text), mode="eval").body
        steps: list[_Step] = []
        while not isinstance(at, ast.Name):
            if isinstance(at, ast.Attribute):
                steps.append(_Step(at.attr, is_attribute=True))
                at = at.value
            elif isinstance(at, ast.Call) and _asks_variable(at):
                # What a context variable holds.
                steps.append(_Step("value", is_attribute=True))
                at = at.func.value  # type: ignore[attr-defined]
            elif isinstance(at, ast.Subscript):
                key = ast.literal_eval(at.slice)
                if not is_literal(key):
                    raise WrongPlaceError(_NO_NAME.format(text=text))
                steps.append(_Step(key, is_attribute=False))
                at = at.value
            else:
                raise WrongPlaceError(_NO_NAME.format(text=text))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        if isinstance(error, WrongPlaceError):
            raise
        raise WrongPlaceError(_NO_NAME.format(text=text)) from None
    steps.reverse()
    names = _SHORT.get(at.id, at.id).split(".")
    while steps and steps[0].is_attribute:
        names.append(steps.pop(0).key)
    return names, steps


def _asks_variable(call: ast.Call) -> bool:
    is_get = isinstance(call.func, ast.Attribute) and call.func.attr == "get"
    return is_get and not call.args and not call.keywords


def _imported(
    text: str, names: Sequence[str], steps: Sequence[_Step]
) -> tuple[str, tuple[_Step, ...]]:
    """Return the longest module of the names, which is imported, and what is left."""
    for length in range(len(names), 0, -1):
        name = ".".join(names[:length])
        try:
            import_module(name)
        except ModuleNotFoundError as error:
            if length > 1 and f"{name}.".startswith(f"{error.name}."):
                continue
            raise WrongPlaceError(_NO_MODULE.format(name=name, error=error)) from None
        except Exception as error:
            found = f"{type(error).__name__}: {error}"
            raise WrongPlaceError(_NO_MODULE.format(name=name, error=found)) from error
        rest = [_Step(each, is_attribute=True) for each in names[length:]]
        return name, (*rest, *steps)
    raise WrongPlaceError(_NO_NAME.format(text=text))


def _followed(at: Any, step: _Step) -> Any:
    """Return what a step leads to, or `MISSING`; nobody's code is run."""
    key, is_attribute = step
    kind = type(at)
    if kind is types.ModuleType and is_attribute:
        return at.__dict__.get(key, MISSING)
    if key in inside(at):
        try:
            return getattr(at, key)
        except ValueError:
            return MISSING  # an empty cell
    how = _holding(at, step)
    found = MISSING if how is None else how.get(at, key)
    if found is not MISSING:
        return found
    return _of_classes(at, key) if is_attribute else _item(at, key)


def _item(at: Any, key: Any) -> Any:
    """Return what a sequence has at a place."""
    for base, get in _SEQUENCES:
        if is_a(at, base) and type(key) is int:
            try:
                return get(at, key)
            except IndexError:
                return MISSING
    return MISSING


def _of_classes(at: Any, name: str) -> Any:
    """Return what a thing's class has, or a class that it is derived from."""
    is_class = is_a(at, type)
    held = vars_of_classes(at if is_class else type(at))
    return next((vars_[name] for vars_ in held if name in vars_), MISSING)


def _holding(at: Any, step: _Step) -> Keyed | None:
    """Return how a thing holds what a step leads to, None where it can't."""
    special = special_kind(at)
    if special is not None:
        return special
    ways = (each for each in kinds_of(type(at)) if isinstance(each, Keyed))
    return next((each for each in ways if each.has_names == step.is_attribute), None)


def _contents(value: Any) -> tuple[tuple[Kind, Contents], ...]:
    special = special_kind(value)
    ways = (special,) if special else kinds_of(type(value))
    found = []
    for how in ways:
        contents = how.read(value)
        # What can't be looked for without running somebody's code stays as it is.
        keys, values = contents
        if all(map(can_be_key, keys or ())) and (
            not is_a(value, set) or all(map(can_be_key, values))
        ):
            found.append((how, contents))
    return tuple(found)


def merged(kept: Kept, was: Kept, now: Kept) -> Kept:
    """Return what is kept, with what was done since from one state to the next."""
    if was.value is not now.value or kept.value is not was.value:
        return now if was.value is not now.value else kept
    contents = []
    for (how, held), (_, before), (_, after) in zip(
        kept.contents, was.contents, now.contents, strict=False
    ):
        changes = differences(before, after)
        if not changes:
            contents.append((how, held))
        elif not isinstance(how, Keyed):
            contents.append((how, after))
        else:
            contents.append((how, _with(held, changes)))
    return Kept(kept.value, tuple(contents))


def _with(held: Contents, changes: Iterable[tuple[Any, Any, Any]]) -> Contents:
    keys, values = held
    assert keys is not None
    found = list(zip(keys, values, strict=True))
    for key, _, value in changes:
        found = [each for each in found if each[0] is not key and each[0] != key]
        if value is not MISSING:
            found.append((key, value))
    return tuple(each for each, _ in found), tuple(each for _, each in found)


def _names_in(at: Any, *, is_attribute: bool) -> Iterator[str]:
    if is_attribute:
        kinds = classes_of(at if is_a(at, type) else type(at))
        for each in kinds:
            yield from class_vars(each)
    for how in (special_kind(at), *kinds_of(type(at))):
        if isinstance(how, Keyed):
            yield from map(str, how.read(at)[0] or ())


def _is_mentioned(at: Any, name: str) -> bool:
    """Return whether code of a module or class speaks of a name, to set it perhaps."""
    owner = at if is_a(at, type) or is_a(at, types.ModuleType) else type(at)
    held = owner.__dict__ if is_a(owner, types.ModuleType) else class_vars(owner)
    values = list(held.values())
    inner = (list(class_vars(each).values()) for each in values if is_a(each, type))
    return any(
        name in code.co_names or name in code.co_consts
        for value in chain(values, *inner)
        if (code := _code_of(value)) is not None
    )


def _code_of(value: Any) -> types.CodeType | None:
    function = value.__func__ if type(value) in _WRAPPED_FUNCTIONS else value
    return function.__code__ if type(function) is types.FunctionType else None
