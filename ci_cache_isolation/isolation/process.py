"""Which process this is: decided when it is asked, never at import.

A value computed at import is the parent's in every forked worker, and worker numbers
and process ids repeat from run to run. So: random, and drawn again after a fork.
"""

from __future__ import annotations

import os
import secrets

__all__ = ["DIGITS", "TOKEN_LENGTH", "in_base", "process_token"]

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
TOKEN_LENGTH = 6
_drawn: tuple[int, str] | None = None


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
