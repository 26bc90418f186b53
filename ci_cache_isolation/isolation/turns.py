"""One thread after another, for each name in a section."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

__all__ = ["Turns"]


class Turns:
    """Names that some thread is bringing over, and who waits until that is done.

    A lock lasts as long as the work on its name. It is made for a section of this
    process, so a forked child never meets one that another thread held.
    """

    def __init__(self) -> None:
        self._locks: dict[Hashable, threading.Lock] = {}
        self._mine = threading.local()

    @contextmanager
    def of(self, name: Hashable) -> Iterator[None]:
        """Work on a name while no other thread does. What was true before may not be.

        A cache whose methods use other keys comes by here again. Then it does not
        wait: another thread may have begun with those, and wait for this one.
        """
        lock = self._locks.setdefault(name, threading.Lock())
        is_within = getattr(self._mine, "is_within", False)
        is_held = lock.acquire(blocking=not is_within)
        self._mine.is_within = True
        try:
            yield
        finally:
            self._mine.is_within = is_within
            if is_held:
                self._locks.pop(name, None)
                lock.release()
