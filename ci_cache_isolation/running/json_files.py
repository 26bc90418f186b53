"""JSON of a file, checked before anything is done with it.

A file may be cut off, of another version, or made by somebody who wants to do harm.
msgspec knows what a type asks for. Python's own parser reads the text: names of tests
may hold surrogates, which msgspec's parser refuses.
"""

from __future__ import annotations

import json
import os
import re
import reprlib
from collections.abc import Collection, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

__all__ = [
    "FileError",
    "as_type",
    "check_arguments",
    "check_names",
    "checked_object",
    "loaded",
    "parsed",
]

T = TypeVar("T")
_DEEPEST = 50
_LARGEST = 2**63
_SHOWN = 40
_PART = re.compile(r"\.(\w+)|\[(\d+)\]")


class FileError(ValueError):
    """Says in half a sentence what a file holds in place of what it should."""


def loaded(path: Path) -> Any:
    """Return what a file of JSON holds; see `parsed`."""
    try:
        return parsed(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FileError(error.strerror or "it can't be read") from None
    except UnicodeDecodeError:
        raise FileError("it is no JSON") from None


def parsed(words: str) -> Any:
    """Return what JSON says, if it is neither too deep nor holds endless numbers.

    It can be written as JSON again.
    """
    try:
        value = json.loads(words)
    except RecursionError:
        raise FileError("it is nested too deeply") from None
    except ValueError:
        raise FileError("it is no JSON") from None
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > _DEEPEST:
            raise FileError("it is nested too deeply")
        level = [part for each in level for part in _parts(each)]
    return value


def _parts(value: Any) -> Collection[Any]:
    if isinstance(value, dict):
        return value.values()
    if isinstance(value, list):
        return value
    if isinstance(value, int | float) and not -_LARGEST < value < _LARGEST:
        raise FileError(f"{_brief(value)} is no number that can be counted with")
    return ()


def as_type(value: Any, kind: type[T]) -> T:
    """Return JSON as a type; a `FileError` names the place where it is none."""
    try:
        return msgspec.convert(value, kind, dec_hook=_of_its_own_class)
    except msgspec.ValidationError as error:
        raise FileError(_worded(str(error), value, kind)) from None
    except UnicodeEncodeError as error:
        name = _brief(error.object)
        raise FileError(f"Object contains unknown field {name}") from None


def _of_its_own_class(kind: type, value: object) -> object:
    return kind(value)


def _worded(message: str, value: Any, kind: Any) -> str:
    """Return what msgspec says, and what was found at that place."""
    wanted, at, path = message.rpartition(" - at `$")
    if not at or "[...]" in path:  # that is any name of an object
        return message
    place = inspect.type_info(kind)
    for name, number in _PART.findall(path):
        value = value[name or int(number)]
        place = _inside(place, name)
    if wanted.startswith("Invalid enum value"):
        wanted = f"Expected one of {', '.join(map(str, _words(place)))}"
    found = "" if isinstance(value, dict | list) else f", which is {_brief(value)}"
    return f"{wanted}{at}{path}{found}"


def _inside(place: inspect.Type, name: str) -> inspect.Type:
    """Return the type of a name of an object, or of what a list holds."""
    for each in _alternatives(place):
        if name:
            for field in getattr(each, "fields", ()):
                if field.encode_name == name:
                    inside: inspect.Type = field.type
                    return inside
        elif isinstance(each, inspect.ListType | inspect.VarTupleType):
            return each.item_type
    return inspect.AnyType()


def _words(place: inspect.Type) -> Iterator[object]:
    for each in _alternatives(place):
        if isinstance(each, inspect.EnumType):
            yield from (member.value for member in each.cls)
        elif isinstance(each, inspect.LiteralType):
            yield from each.values


def _alternatives(place: inspect.Type) -> Iterator[inspect.Type]:
    if isinstance(place, inspect.UnionType):
        for each in place.types:
            yield from _alternatives(each)
    elif isinstance(place, inspect.Metadata):
        yield from _alternatives(place.type)
    else:
        yield place


def _brief(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    # Python 3.12 takes these as arguments.
    short = reprlib.Repr()
    vars(short).update(maxlevel=2, maxstring=_SHOWN, maxother=_SHOWN)
    shown = short.repr(value)
    return shown if len(shown) <= 2 * _SHOWN else f"{shown[: 2 * _SHOWN]}…"


def checked_object(value: Any, **wanted: object) -> dict[str, Any]:
    """Return the rest of an object in which these names have these values."""
    found = as_type(value, dict[str, Any])
    for name, each in wanted.items():
        if name not in found:
            raise FileError(f"Object missing required field `{name}`")
        if found[name] != each:
            raise FileError(f"{name} is {_brief(found[name])}, not {each!r}")
    return {name: each for name, each in found.items() if name not in wanted}


def check_names(value: Any, made: Any) -> None:
    """Raise a `FileError` if JSON has not the very names of a dataclass made of it.

    msgspec passes over names that a dataclass has not, and takes its defaults.
    """
    _check_names(value, asdict(made), "$")


def _check_names(value: Any, made: Any, at: str) -> None:
    if isinstance(made, dict):
        for name in sorted(made.keys() ^ value.keys()):
            verb = "missing required" if name in made else "contains unknown"
            raise FileError(f"Object {verb} field {_brief(name)} - at `{at}`")
        for name, each in made.items():
            _check_names(value[name], each, f"{at}.{name}")


def check_arguments(*texts: str) -> None:
    """Raise a `FileError` if a program can't be given one of these."""
    for each in texts:
        try:
            is_sound = b"\0" not in os.fsencode(each)
        except UnicodeEncodeError:
            is_sound = False
        if not is_sound:
            raise FileError(f"{_brief(each)} can't be an argument of a program")
