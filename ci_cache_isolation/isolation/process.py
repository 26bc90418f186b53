"""Which process this is, and what a forked one must not take over from its parent.

A value computed at import is the parent's in every forked worker, and worker numbers
and process ids repeat from run to run. So: random, and drawn again after a fork.

A fork copies one thread. A lock that another thread held stays locked in the child for
good, so all locks of this package are made here, and made new in every child.
"""

from __future__ import annotations

import itertools
import os
import secrets
import threading
import weakref
from collections.abc import Callable
from contextlib import ExitStack
from types import MethodType
from typing import Any

__all__ = [
    "DIGITS",
    "SECTION_LENGTH",
    "TOKEN_LENGTH",
    "after_fork",
    "free_inherited",
    "in_base",
    "is_lock",
    "new_lock",
    "next_number",
    "process_token",
    "section_id",
]

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
TOKEN_LENGTH = 6
SECTION_LENGTH = 12
_FREE = "_at_fork_reinit"
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


def new_lock(owner: object, name: str) -> threading.RLock:
    """Return a lock to be kept as ``owner.name``, and made new there after a fork.

    The same thread may take it twice.
    """
    _locks.setdefault(owner, set()).add(name)
    return threading.RLock()


def is_lock(kind: type) -> bool:
    """Return whether objects of a class are locks that `free_inherited` can free."""
    return hasattr(kind, _FREE)


def free_inherited(lock: Any) -> None:
    """Free a lock of somebody else's in a forked child, in place.

    ``threading`` does so with its own locks, by the same method. One that the forking
    thread holds stays as it is, where that can be known.
    """
    if not getattr(lock, "_is_owned", bool)():
        getattr(lock, _FREE)()


def after_fork(call: Callable[[], None]) -> None:
    """Call a function, or an object's method while it lives, in every forked child."""
    held = weakref.WeakMethod(call) if isinstance(call, MethodType) else None
    _calls[:] = [each for each in _calls if each() is not None]
    _calls.append((lambda: call) if held is None else held)


def _begin_child() -> None:
    # Locks first: what is called next takes them.
    for owner, names in list(_locks.items()):
        for name in names:
            setattr(owner, name, threading.RLock())
    with ExitStack() as stack:
        # All of them, also when one fails.
        for each in reversed(_calls):
            if (call := each()) is not None:
                stack.callback(call)


_locks: weakref.WeakKeyDictionary[object, set[str]] = weakref.WeakKeyDictionary()
_calls: list[Callable[[], Callable[[], None] | None]] = []
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_child)
