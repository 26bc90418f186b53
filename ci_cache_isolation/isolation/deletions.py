"""What tests have stored on one server, from when it is stored until it is deleted.

It is noted before, so that another process can do it if this one is killed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ci_cache_isolation.isolation import journal, notices
from ci_cache_isolation.isolation.journal import JOURNAL
from ci_cache_isolation.isolation.process import new_lock
from ci_cache_isolation.isolation.redaction import redacted
from ci_cache_isolation.isolation.server_access import ServerAccess

__all__ = ["BATCH", "Deletions"]

BATCH = 1000
"""How many keys may wait to be deleted."""

_NOT_DELETED = (
    "What tests stored in cache {alias!r} ({backend}, {location}) could not be "
    "deleted: {error}. It stays on the server, where no test sees it. "
    "`cache-isolation purge` deletes it later."
)
_REFUSED = (
    "The client of cache {alias!r} ({backend}, {location}) refuses a key that a test "
    "used: {error}. Nothing is stored under such keys, so they are not kept in mind. "
    "Look for what makes them, if it is not what that test is about."
)


class Deletions:
    """Full keys that wait, each with a cache that knows the way to the server."""

    def __init__(self, alias: str, server: ServerAccess) -> None:
        self._alias = alias
        self._server = server
        self._lock = new_lock(self, "_lock")
        # By the cache that stored them.
        self._waiting: dict[int, tuple[Any, list[str]]] = {}
        # What killed processes left.
        self._taken: list[tuple[Any, journal.Dead]] = []
        self._is_due = False
        self._has_failed = False
        self._has_refused = False
        self._is_lasting = True
        self._has_looked = False
        self._about: journal.About | None = None

    def about(self, cache: Any) -> journal.About:
        """Return what is recorded about the server."""
        if self._about is None:
            self._about = self._server.about(self._alias, cache)
            self._is_lasting = self._server.is_lasting(cache)
        return self._about

    def note(self, full: str, cache: Any) -> None:
        """Record that something is about to be stored."""
        about = self.about(cache)
        if not self._is_lasting:
            return
        if not self._has_looked:
            self._has_looked = True
            self._take_over(about, cache)
        JOURNAL.note(about, full)

    def wait(self, cache: Any, names: Iterable[str]) -> None:
        """Have what a cache stored deleted with the next batch."""
        with self._lock:
            self._waiting.setdefault(id(cache), (cache, []))[1].extend(names)
            self._is_due = True

    @property
    def is_untidy(self) -> bool:
        """Whether more waits to be deleted than fits into one batch."""
        return any(len(names) >= BATCH for _, names in self._waiting.values())

    @property
    def has_waiting(self) -> bool:
        """Whether anything waits to be deleted."""
        return bool(self._waiting or self._taken)

    def forget(self) -> None:
        """Leave it to the parent process, from which this one was forked."""
        self._waiting.clear()
        self._taken.clear()

    def tidy(
        self, alive: Callable[[], Iterable[str]], *, is_last: bool = False
    ) -> None:
        """Delete what waits; ``alive`` returns the full keys of open sections.

        Where that has failed it is not tried again before the end of the process: a
        server that is gone may cost a timeout each time.
        """
        if not self._is_due or (not is_last and not self._may_delete()):
            return
        with self._lock:
            self._is_due = self._has_failed = False
            waiting, self._waiting = self._waiting, {}
        while waiting:
            _, (cache, names) = waiting.popitem()
            if self._is_gone(cache) or self._is_deleted(cache, names):
                continue
            for each, those in ((cache, names), *waiting.values()):
                self.wait(each, those)
            return
        if self._about is not None:
            JOURNAL.keep(self._about.fingerprint, alive())
        while self._taken:
            cache, left = self._taken[-1]
            if self._is_gone(cache) or not self._is_deleted(cache, left.names):
                return
            left.forget()
            self._taken.remove((cache, left))

    def take_from_children(self, cache: Any) -> None:
        """Let what children left go too: they may have had no chance to tidy up."""
        if self._has_looked and self._about is not None:
            self._take_over(self._about, cache, in_ours=True)

    def say(self, text: str, error: Exception) -> None:
        """Tell users what went wrong, once."""
        about = self._about
        notices.note(
            text.format(
                alias=self._alias,
                backend=about.kind if about else "?",
                location=about.location if about else "?",
                error=redacted(f"{type(error).__name__}: {error}".rstrip(". ")),
            )
        )

    def _may_delete(self) -> bool:
        """Return whether what is deleted now is gone, as far as can be told."""
        # A transaction could bring it back.
        caches = [cache for cache, _ in (*self._waiting.values(), *self._taken)]
        return not self._has_failed and not any(
            map(self._server.is_in_transaction, caches)
        )

    def _is_gone(self, cache: Any) -> bool:
        """Return whether what a cache stored things in is no longer there."""
        try:
            return self._server.is_gone(cache, self.about(cache))
        except Exception:  # noqa: BLE001 - whoever deletes says so
            return False

    def _is_deleted(self, cache: Any, names: list[str]) -> bool:
        """Delete full keys; False if that can't be done now."""
        try:
            refused = self._server.delete_all(cache, names)
        except Exception as error:  # noqa: BLE001 - the tests are not to blame
            self._has_failed = self._is_due = True
            self.say(_NOT_DELETED, error)
            return False
        if refused and not self._has_refused:
            self._has_refused = True
            self.say(_REFUSED, next(iter(refused.values())))
        return True

    def _take_over(
        self, about: journal.About, cache: Any, *, in_ours: bool = False
    ) -> None:
        """Let what killed processes left go with the next batch."""
        if JOURNAL.leaves_the_dead or self._is_gone(cache):
            return
        for left in journal.dead(about.fingerprint, in_ours=in_ours):
            taken = JOURNAL.take(left)
            if taken is not None:
                self._taken.append((cache, taken))
                self._is_due = True
