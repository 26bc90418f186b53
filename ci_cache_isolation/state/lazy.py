"""What objects remember of what they have worked out once, as their classes mean it."""

from __future__ import annotations

import sys
import types
from typing import Any

from ci_cache_isolation.state.comparing import (
    Kinds,
    class_vars,
    classes_of,
    is_a,
    vars_of_classes,
)
from ci_cache_isolation.state.own_files import is_own_module

__all__ = ["is_remembered_by_others"]

_METHODS = Kinds(
    *(classmethod, staticmethod, types.FunctionType, types.BuiltinFunctionType),
    *(types.MethodDescriptorType, types.WrapperDescriptorType),
)
_known: dict[tuple[int, str], tuple[type, bool]] = {}


def is_remembered_by_others(held: Any, name: object) -> bool:
    """Return whether an attribute is a cached property, and of no class of the project.

    Django's models, fields and URLs have thousands, which whoever comes first fills.
    """
    if type(name) is not str or is_a(held, type):
        return False
    kind = type(held)
    key = id(kind), name
    if key not in _known:
        # With the class, so that its id stays its own.
        _known[key] = kind, _is_cached_by_others(kind, name)
    return _known[key][1]


def _is_cached_by_others(kind: type, name: str) -> bool:
    for each in classes_of(kind):
        vars_ = class_vars(each)
        if name in vars_:
            module = sys.modules.get(str(vars_.get("__module__")))
            return _gives_way(type(vars_[name])) and not is_own_module(module)
    return False


def _gives_way(kind: type) -> bool:
    """Return whether what a class has is hidden by what an object has under a name.

    So do methods, but nobody sets one on an object to remember something.
    """
    names = {name for vars_ in vars_of_classes(kind) for name in vars_}
    return kind not in _METHODS and "__get__" in names and "__set__" not in names
