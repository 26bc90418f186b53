"""What JSON of a file has to look like, checked before anything is done with it.

A file may be cut off, of another version, or made by somebody who wants to do harm. A
shape is a function that raises a `ShapeError` with the place and what is wrong there.
What a shape lets pass can be used, and written as JSON again, without another check.
"""

from __future__ import annotations

import enum
import json
import math
import os
import reprlib
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from types import UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    NotRequired,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

__all__ = [
    "Shape",
    "ShapeError",
    "anything",
    "argument",
    "both",
    "choice",
    "either",
    "exactly",
    "fixed",
    "flag",
    "items",
    "loaded",
    "maybe",
    "nothing",
    "of_type",
    "parsed",
    "real",
    "record",
    "table",
    "text",
    "whole",
]

Shape = Callable[[Any, str], None]

_DEEPEST = 50
_LARGEST = 2**63
_SHOWN = 40


class ShapeError(ValueError):
    """Says in half a sentence what a file holds in place of what it should."""


def loaded(path: Path) -> Any:
    """Return what a file of JSON holds; see `parsed`."""
    try:
        return parsed(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ShapeError(error.strerror or "it can't be read") from None
    except UnicodeDecodeError:
        raise ShapeError("it is no JSON") from None


def parsed(words: str) -> Any:
    """Return what JSON says, if it is neither too deep nor holds endless numbers."""
    try:
        value = json.loads(words)
    except RecursionError:
        raise ShapeError("it is nested too deeply") from None
    except ValueError:
        raise ShapeError("it is no JSON") from None
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > _DEEPEST:
            raise ShapeError("it is nested too deeply")
        level = [part for each in level for part in _parts(each)]
    return value


def _parts(value: Any) -> Collection[Any]:
    if isinstance(value, dict):
        return value.values()
    if isinstance(value, list):
        return value
    if isinstance(value, int | float) and not -_LARGEST < value < _LARGEST:
        raise ShapeError(f"{_brief(value)} is no number that can be counted with")
    return ()


def _brief(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    # Python 3.12 takes these as arguments.
    short = reprlib.Repr()
    vars(short).update(maxlevel=2, maxstring=_SHOWN, maxother=_SHOWN)
    shown = short.repr(value)
    return shown if len(shown) <= 2 * _SHOWN else f"{shown[: 2 * _SHOWN]}…"


def _refuse(value: Any, at: str, wanted: str) -> None:
    raise ShapeError(f"{at or 'all of it'} is {_brief(value)}, not {wanted}")


def anything(value: Any, at: str) -> None:
    """Let everything pass: it is there."""


def text(value: Any, at: str) -> None:
    """Let any text pass."""
    if not isinstance(value, str):
        _refuse(value, at, "a text")


def argument(value: Any, at: str) -> None:
    """Let a text pass that a program can be given."""
    text(value, at)
    try:
        is_sound = b"\0" not in os.fsencode(value)
    except UnicodeEncodeError:
        is_sound = False
    if not is_sound:
        _refuse(value, at, "a text that a program can be given")


def flag(value: Any, at: str) -> None:
    """Let true and false pass."""
    if not isinstance(value, bool):
        _refuse(value, at, "true or false")


def nothing(value: Any, at: str) -> None:
    """Let null pass."""
    if value is not None:
        _refuse(value, at, "null")


def whole(least: int = 0, most: int = 2**32) -> Shape:
    """Return the shape of a whole number."""

    def check(value: Any, at: str) -> None:
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        if not is_whole or not least <= value <= most:
            _refuse(value, at, f"a whole number from {least} to {most}")

    return check


def real(least: float = 0.0) -> Shape:
    """Return the shape of a number."""

    def check(value: Any, at: str) -> None:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not math.isfinite(value) or value < least:
            _refuse(value, at, f"a number from {least:g} on")

    return check


def choice(kind: type[enum.Enum] | Collection[str]) -> Shape:
    """Return the shape of a text that is one of a few."""
    words = [each.value if isinstance(each, enum.Enum) else each for each in kind]

    def check(value: Any, at: str) -> None:
        if not isinstance(value, str) or value not in words:
            _refuse(value, at, f"one of {', '.join(words)}")

    return check


def exactly(wanted: str | int) -> Shape:
    """Return the shape of one text or number."""

    def check(value: Any, at: str) -> None:
        if type(value) is not type(wanted) or value != wanted:
            _refuse(value, at, f"{wanted!r}")

    return check


def either(*shapes: Shape) -> Shape:
    """Return the shape of what has one of several."""

    def check(value: Any, at: str) -> None:
        for shape in shapes[:-1]:
            try:
                shape(value, at)
            except ShapeError:
                continue
            return
        shapes[-1](value, at)

    return check


def both(*shapes: Shape) -> Shape:
    """Return the shape of what has all of several."""

    def check(value: Any, at: str) -> None:
        for shape in shapes:
            shape(value, at)

    return check


def maybe(shape: Shape) -> Shape:
    """Return the shape of what may be null."""
    return either(nothing, shape)


def items(shape: Shape, *, least: int = 0) -> Shape:
    """Return the shape of a list of things of one shape."""

    def check(value: Any, at: str) -> None:
        if not isinstance(value, list):
            _refuse(value, at, "a list")
        if len(value) < least:
            _refuse(value, at, f"a list of at least {least}")
        for place, each in enumerate(value):
            shape(each, f"{at}[{place}]")

    return check


def fixed(*shapes: Shape) -> Shape:
    """Return the shape of a list of so many things, each of its own shape."""

    def check(value: Any, at: str) -> None:
        if not isinstance(value, list) or len(value) != len(shapes):
            _refuse(value, at, f"a list of {len(shapes)}")
        for place, (shape, each) in enumerate(zip(shapes, value, strict=True)):
            shape(each, f"{at}[{place}]")

    return check


def table(shape: Shape) -> Shape:
    """Return the shape of an object with any names."""

    def check(value: Any, at: str) -> None:
        if not isinstance(value, dict):
            _refuse(value, at, "an object")
        for name, each in value.items():
            shape(each, f"{at}[{_brief(name)}]")

    return check


def record(
    needed: Mapping[str, Shape],
    optional: Mapping[str, Shape] | None = None,
    *,
    is_whole: bool = False,
) -> Shape:
    """Return the shape of an object with these names; ``is_whole``: and no others."""
    known = {**needed, **(optional or {})}

    def check(value: Any, at: str) -> None:
        if not isinstance(value, dict):
            _refuse(value, at, "an object")
        for name, shape in known.items():
            if name in value:
                shape(value[name], f"{at}.{name}" if at else name)
            elif name in needed:
                raise ShapeError(f"{at or 'it'} lacks {name!r}")
        if is_whole and (unknown := value.keys() - known.keys()):
            names = _brief(min(unknown))
            raise ShapeError(f"{at or 'it'} holds {names}, which is unknown")

    return check


def of_type(kind: Any) -> Shape:
    """Return the shape of what a type says: what `TypedDict` is made of, and enums.

    Where ``Annotated`` gives a shape, it is that one.
    """
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        shape: Shape = arguments[1]
    elif origin is Literal:
        one, *others = arguments
        shape = choice(arguments) if others else exactly(one)
    elif origin in {Union, UnionType}:
        # What is wrong is said of the last one.
        kinds = sorted(arguments, key=lambda each: each is not type(None))
        shape = either(*map(of_type, kinds))
    elif origin is list:
        shape = items(of_type(arguments[0]))
    elif origin is dict:
        shape = table(of_type(arguments[1]))
    elif issubclass(kind, enum.Enum):
        shape = choice(kind)
    else:
        shape = _PLAIN[kind] if kind in _PLAIN else _of_names(kind)
    return shape


def _of_names(kind: Any) -> Shape:
    hints = get_type_hints(kind, include_extras=True)
    shapes = {name: of_type(_needed(each)) for name, each in hints.items()}
    # As they are declared: what is said first is the same each time.
    optional = {name: shapes.pop(name) for name in kind.__optional_keys__}
    return record(shapes, optional)


def _needed(kind: Any) -> Any:
    return get_args(kind)[0] if get_origin(kind) is NotRequired else kind


_PLAIN: dict[type, Shape] = {
    bool: flag,
    float: real(),
    int: whole(),
    str: text,
    type(None): nothing,
}
