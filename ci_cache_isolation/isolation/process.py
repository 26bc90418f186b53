"""Which process this is: decided when it is asked, never at import.

A value computed at import is the parent's in every forked worker, and worker numbers
and process ids repeat from run to run. So: random, and drawn again after a fork.
"""

from __future__ import annotations

import itertools
import os
import secrets
import weakref
from collections.abc import Callable

__all__ = [
    "DIGITS",
    "SECTION_LENGTH",
    "TOKEN_LENGTH",
    "after_fork",
    "in_base",
    "next_number",
    "process_token",
    "section_id",
]

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
TOKEN_LENGTH = 6
SECTION_LENGTH = 12
_drawn: tuple[int, str] | None = None
next_number = itertools.count(1).__next__
"""Count the sections of this process: 1 for the first one."""


def in_base(number: int, length: int) -> str:
    """Write a number with the digits 0-9a-z, padded, so that text sorts as numbers."""
    written = ""
    while number or len(written) < length:
        number, digit = divmod(number, len(DIGITS))
        written = DIGITS[digit] + written
    return written


def process_token() -> str:
    """Return six characters of 0-9a-z that no other process has."""
    global _drawn  # noqa: PLW0603 - one process, one token
    if _drawn is None or _drawn[0] != os.getpid():
        number = secrets.randbelow(len(DIGITS) ** TOKEN_LENGTH)
        _drawn = os.getpid(), in_base(number, TOKEN_LENGTH)
    return _drawn[1]


def section_id(number: int) -> str:
    """Return twelve characters of 0-9a-z that no other section has."""
    return process_token() + in_base(number, SECTION_LENGTH - TOKEN_LENGTH)


def after_fork(method: Callable[[], None]) -> None:
    """Call an object's method in every process forked from here, while it lives."""
    held = weakref.WeakMethod(method)

    def call() -> None:
        if (alive := held()) is not None:
            alive()

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=call)
