"""Scopes: process ⊃ session ⊃ package ⊃ module ⊃ class ⊃ test ⊃ block."""

from __future__ import annotations

import enum

__all__ = [
    "RAW",
    "Granularity",
    "Path",
    "Scope",
    "ScopeKind",
    "dotted_name",
    "shared_length",
]

RAW = "_ci_cache_isolation_raw"
"""An attribute of functions and classes that ask for plain keys."""


class ScopeKind(enum.Enum):
    """What a scope stands for. The process itself is the empty path."""

    SESSION = "session"
    PACKAGE = "package"
    MODULE = "module"
    CLASS = "class"
    TEST = "test"
    BLOCK = "block"


class Granularity(enum.Enum):
    """The narrowest scopes that have sections of their own; blocks always have."""

    TEST = "test"
    CLASS = "class"
    PROCESS = "process"

    def includes(self, kind: ScopeKind) -> bool:
        """Return whether scopes of a kind have sections."""
        if kind is ScopeKind.BLOCK or self is Granularity.TEST:
            return True
        return self is Granularity.CLASS and kind is not ScopeKind.TEST


class Scope:
    """One stretch of a run: what is stored in it is gone when it ends.

    Nobody changes one. It is written out because one is made for every test, and
    because a dataclass takes its time when its module is imported.

    ``name`` is dotted, as unittest writes it, whatever opened the scope: that
    is how runner, plugin, mixin and decorator know each other's scopes.
    ``function`` is a test's function, which an inherited test has from its base
    class. ``is_raw`` asks for plain keys. ``test_id`` is what the test's runner calls
    it, where that is not its name. None of these takes part in comparisons.
    """

    __slots__ = ("function", "is_raw", "kind", "name", "test_id")

    def __init__(
        self,
        kind: ScopeKind,
        name: str,
        function: object = None,
        *,
        is_raw: bool = False,
        test_id: str = "",
    ) -> None:
        self.kind = kind
        self.name = name
        self.function = function
        self.is_raw = is_raw
        self.test_id = test_id

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Scope):
            return NotImplemented
        return self.kind is other.kind and self.name == other.name

    def __hash__(self) -> int:
        return hash((self.kind, self.name))

    def __repr__(self) -> str:
        return f"Scope({self.kind}, {self.name!r})"


Path = tuple[Scope, ...]
"""Scopes from the outermost to the innermost."""


def shared_length(left: Path, right: Path) -> int:
    """Return how many leading scopes two paths have in common."""
    length = 0
    for one, other in zip(left, right, strict=False):
        if one != other:
            break
        length += 1
    return length


def dotted_name(code: object) -> str:
    """Return ``module.qualname`` of a function or class, or what comes nearest."""
    qualname = getattr(code, "__qualname__", None) or type(code).__qualname__
    return f"{getattr(code, '__module__', None)}.{qualname}"
