"""The few among many of which something still holds. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

__all__ = ["fewest"]

T = TypeVar("T")


def fewest(things: Sequence[T], holds: Callable[[Sequence[T]], bool]) -> list[T]:
    """Return a smallest part of things of which something holds, as it does of all.

    Nothing in it can be left out. It is found by leaving out half of them, then
    quarters, and so on.
    """
    some = list(things)
    size = len(some) // 2
    while size:
        start = 0
        while start < len(some):
            rest = [*some[:start], *some[start + size :]]
            if rest and holds(rest):
                some = rest
            else:
                start += size
        size //= 2
    return some
