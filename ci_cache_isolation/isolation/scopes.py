"""Scopes: process ⊃ session ⊃ package ⊃ module ⊃ class ⊃ test ⊃ block."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

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
        """Tell whether scopes of a kind have sections."""
        if kind is ScopeKind.BLOCK or self is Granularity.TEST:
            return True
        return self is Granularity.CLASS and kind is not ScopeKind.TEST


@dataclass(slots=True, unsafe_hash=True)
class Scope:
    """One stretch of a run: what is stored in it is gone when it ends.

    Nobody changes one; but one that is frozen takes four times as long to make, and
    one is made for every test.

    ``name`` is dotted, as unittest writes it, whichever door opened the scope: that
    is how runner, plugin, mixin and decorator know each other's scopes.
    ``function`` is a test's function, which an inherited test has from its base
    class. ``is_raw`` asks for plain keys. ``test_id`` is what the test's runner calls
    it, where that is not its name. None of these takes part in comparisons.
    """

    kind: ScopeKind
    name: str
    function: object = field(default=None, compare=False)
    is_raw: bool = field(default=False, compare=False)
    test_id: str = field(default="", compare=False)


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
