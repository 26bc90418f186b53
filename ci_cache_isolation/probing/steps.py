"""What programs are made of: keys, calls, and what is done around calls.

All of it is data, so that the same is done isolated and plainly, in any process.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

__all__ = [
    "At",
    "Awaited",
    "Call",
    "Clear",
    "Clock",
    "InThread",
    "Key",
    "Number",
    "Program",
    "Race",
    "RolledBack",
    "Step",
    "Suite",
    "Wait",
    "awaited",
    "call",
    "digits",
    "names_in",
    "reads",
]


_LONG = 40


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """A user's key: a name behind a token that nobody else has.

    ``before`` and ``after`` are for patterns.
    """

    name: str
    before: str = ""
    after: str = ""

    @property
    def is_pattern(self) -> bool:
        """Whether it stands for others, and nothing is stored under it."""
        return bool(self.before or self.after)

    def under(self, token: str) -> str:
        """Return the key as the cache gets it."""
        return f"{self.before}{token}{self.name}{self.after}"


@dataclass(frozen=True, slots=True)
class Number:
    """A user's key that is a number."""

    number: int

    def under(self, token: str) -> int:
        """Return the key as the cache gets it."""
        return int(f"{digits(token)}{self.number}")


@dataclass(frozen=True, slots=True)
class At:
    """A moment: so many seconds from when the call is made."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a method. One that is rough returns what is left of a time."""

    method: str
    args: tuple[Any, ...] = ()
    kwargs: tuple[tuple[str, Any], ...] = ()
    is_rough: bool = False

    def __str__(self) -> str:
        named = [f"{name}={_shown(value)}" for name, value in self.kwargs]
        return f"{self.method}({', '.join([*map(_shown, self.args), *named])})"


@dataclass(frozen=True, slots=True)
class Awaited:
    """A call of an asynchronous method."""

    call: Call


@dataclass(frozen=True, slots=True)
class Clear:
    """``clear()``. Plainly what is here is deleted by name: others may be there too."""

    is_async: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """Time that passes."""

    seconds: float


@dataclass(frozen=True, slots=True)
class InThread:
    """Steps that another thread takes; it opens the alias for itself."""

    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Race:
    """Steps of several threads at once. What they return is left to chance."""

    threads: tuple[tuple[Step, ...], ...]


@dataclass(frozen=True, slots=True)
class RolledBack:
    """Steps in a transaction of the cache's database that is rolled back."""

    steps: tuple[Step, ...]
    is_savepoint: bool = False


@dataclass(frozen=True, slots=True)
class Clock:
    """Steps while Python's clock stands at a moment, as freezegun sets it."""

    seconds: float
    steps: tuple[Step, ...]


def digits(token: str) -> str:
    """Return a token as a number, for keys that are numbers."""
    return str(int.from_bytes(token.encode()))


Step = Call | Awaited | Clear | Wait | InThread | Race | RolledBack | Clock
Program = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Suite:
    """A class's set-up and its tests.

    ``number`` is that of the promise that it puts to the test.
    """

    number: int
    name: str
    title: str
    tests: tuple[Program, ...]
    setup: Program = ()
    has_clear: bool = False
    is_for_tables: bool = False


def call(method: str, *args: Any, **kwargs: Any) -> Call:
    """Return a call."""
    return Call(method, args, tuple(kwargs.items()))


def awaited(method: str, *args: Any, **kwargs: Any) -> Awaited:
    """Return a call of an asynchronous method."""
    return Awaited(call(method, *args, **kwargs))


def reads(keys: str) -> Program:
    """Return a `get` of each of some keys whose names are letters."""
    return tuple(call("get", Key(key), "nothing") for key in keys)


def names_in(what: object) -> Iterator[Key | Number]:
    """Yield the keys in a step, in a program or in an argument."""
    if isinstance(what, (Key, Number)):
        yield what
    elif isinstance(what, dict):
        yield from names_in([*what.items()])
    elif isinstance(what, (list, tuple)):
        for each in what:
            yield from names_in(each)
    elif is_dataclass(what):
        yield from names_in([getattr(what, each.name) for each in fields(what)])


def _shown(value: Any) -> str:
    if isinstance(value, Key):
        return repr(value.under(""))
    if isinstance(value, Number):
        return f"key {value.number}"
    if isinstance(value, At):
        return f"now + {value.seconds}"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_shown(k)}: {_shown(v)}' for k, v in value.items())}}}"
    if isinstance(value, (list, tuple)):
        text = f"[{', '.join(map(_shown, value))}]"
    else:
        text = repr(value)
    return text if len(text) <= _LONG else f"{text[:_LONG]}…"
