"""Methods of other people's classes that are replaced, and put back.

On the class, so that objects count which were made before and which others hold. What
the class inherits is wrapped on the class itself, so that its other children stay as
they are.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

__all__ = ["Patches", "is_patched"]

_ABSENT = object()
_MARK = "_ci_cache_isolation_patch"
Replacement = Callable[[Any], Any]


class Patches:
    """What has been replaced, so that it can be undone."""

    def __init__(self) -> None:
        self._replaced: dict[tuple[type, str], tuple[object, object]] = {}

    def wrap(self, owner: type, name: str, wrapping: Replacement) -> None:
        """Replace a method by ``wrapping(method)``; again is harmless."""
        if (owner, name) in self._replaced or not hasattr(owner, name):
            return
        original = getattr(owner, name)
        wrapper = functools.wraps(original)(wrapping(original))
        setattr(wrapper, _MARK, True)
        self.put(owner, name, wrapper)

    def put(self, owner: type, name: str, replacement: object) -> None:
        """Replace an attribute of a class; again is harmless."""
        if (owner, name) in self._replaced:
            return
        before = vars(owner).get(name, _ABSENT)
        self._replaced[owner, name] = before, replacement
        setattr(owner, name, replacement)

    def undo(self) -> None:
        """Put everything back, but for what others have replaced since."""
        for (owner, name), (before, replacement) in self._replaced.items():
            if vars(owner).get(name) is not replacement:
                continue
            if before is _ABSENT:
                delattr(owner, name)
            else:
                setattr(owner, name, before)
        self._replaced.clear()


def is_patched(method: object) -> bool:
    """Return whether a method is one that was put in the place of another."""
    return hasattr(method, _MARK)
