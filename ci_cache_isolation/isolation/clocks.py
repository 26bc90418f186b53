"""The clock that tests see, which they may stop or move, and one that only runs on.

freezegun and time-machine replace what tells the time of day. A server knows nothing of
that: its entries live for as many seconds as they were given.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial

__all__ = ["Deadline", "Expiries", "Expiry", "steady"]

steady: Callable[[], float] = (
    # Neither library replaces this one, also where this module is imported while time
    # is frozen.
    partial(time.clock_gettime, time.CLOCK_MONOTONIC)
    if hasattr(time, "clock_gettime")
    # Windows. freezegun finds functions in modules, and not inside of this object.
    else partial(time.monotonic)
)
"""Return seconds from some moment on, the same one in all processes."""


class Deadline:
    """When an entry expires, on both clocks."""

    __slots__ = ("seen", "steady")

    def __init__(self, timeout: float) -> None:
        self.seen = time.time() + timeout
        self.steady = steady() + timeout

    def seconds_seen(self) -> int:
        """Return what is left on the clock that tests see, rounded up."""
        return math.ceil(self.seen - time.time())

    def seconds(self) -> int:
        """Return what is left on the clock that only runs on, rounded up."""
        return math.ceil(self.steady - steady())


Expiry = Deadline | int | None
"""When an entry expires: a number is a time of day, in the server's own way of
writing it; None is never."""

Expiries = dict[str, Expiry]
"""When entries expire, by full key: where a server does not tell."""
