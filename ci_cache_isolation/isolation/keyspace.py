"""The sections of one server or table: ids in front of its keys."""

from __future__ import annotations

import functools
import weakref
from typing import TYPE_CHECKING, Any

from ci_cache_isolation.isolation import journal, notices
from ci_cache_isolation.isolation.changes import watch
from ci_cache_isolation.isolation.clocks import Expiry
from ci_cache_isolation.isolation.keys import within
from ci_cache_isolation.isolation.process import process_token
from ci_cache_isolation.isolation.redaction import redacted
from ci_cache_isolation.isolation.sections import Frames, Section, Space, Use

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from ci_cache_isolation.isolation.dialects.base import Dialect

__all__ = ["BATCH", "JOURNAL", "KeySpace"]

JOURNAL = journal.Journal()

BATCH = 1000
"""How many keys may wait to be deleted."""

_STORING_NOTHING = frozenset({Use.READING, Use.DELETING})
_MANY_READS = 8

_NOT_COPIED = (
    "What an enclosing scope stored under a key of cache {alias!r} could not be "
    "brought into a test's section: {error}. The test does not see it. "
    "Read the server's log, or store it in the test itself."
)
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


class KeySpace(Space):
    """All sections of one server or table, and what of it waits to be deleted."""

    def __init__(
        self, frames: Frames, alias: str, dialect: Dialect, server: Hashable
    ) -> None:
        super().__init__(frames, alias, f"{type(dialect).__name__}:{server!r}")
        self.dialect = dialect
        self._users: weakref.WeakSet[Any] = weakref.WeakSet()
        self.server = server
        self.key_limit = dialect.key_limit
        self.modules: frozenset[str] = frozenset()
        # Keys that were cut to keep within the limit, and what the user called them.
        self.shortened: dict[str, str] = {}
        # When entries expire, where a server does not tell.
        self.expiries: dict[str, Expiry] = {}
        # Full keys by the cache that stored them: it knows the way to the server.
        self._waiting: dict[int, tuple[Any, list[str]]] = {}
        # What killed processes left, each with a cache that knows the way there.
        self._taken: list[tuple[Any, journal.Dead]] = []
        self._holders: dict[Section, Any] = {}
        # Whether a key was ever made: there are backends that use keys as they are.
        self.is_asked = False
        self._is_due = False
        self._has_failed = False
        self._has_refused = False
        self._is_lasting = True
        self._has_looked = False
        self._about: journal.About | None = None

    def full(self, section: Section, name: str) -> str:
        """Return what a key is called on the server when it is in a section."""
        return within(self, section.id + name)

    def touch(self, section: Section, name: str, cache: Any, use: Use) -> None:
        """Take note of a key; bring over what an enclosing section holds under it."""
        self.is_asked = True
        is_new = name not in section.touched or name in section.outdated
        may_change = is_new or section.changed is not None
        if may_change and self.dialect.is_in_transaction(cache):
            self.dialect.on_rollback(cache, _as_it_is(section, name))
        if name in section.outdated and self.dialect.may_ask(cache):
            self._update(section, name)
        is_brought = self._is_brought(section, name, cache)
        if use is Use.SETTING and section.changed is not None:
            section.changed.add(name)
        elif use is not Use.READING:
            watch(self, section, name, renews=use is Use.RENEWING)
        if is_brought:
            return
        is_storing = use not in _STORING_NOTHING
        if not is_storing:
            # One that is read again and again is taken as stored: a name too many to
            # delete costs less than to find out each time what it is wanted for.
            section.reads[name] = section.reads.get(name, 0) + 1
            if section.reads[name] >= _MANY_READS:
                is_storing = True
        if is_storing and not section.touched.get(name):
            self._note(self.full(section, name), cache)
            self._is_stored(section, name, cache)
        section.touched.setdefault(name, False)

    def _is_brought(self, section: Section, name: str, cache: Any) -> bool:
        """Bring over what an enclosing section holds under a key, if one does."""
        outer = None if name in section.touched else self.enclosing(section, name)
        if outer is None or not outer.touched[name]:
            return False
        if self.dialect.may_ask(cache):
            with self.turns.of((section, name)):
                if name not in section.touched:
                    self._bring(section, name, cache, outer)
        return True

    def _update(self, section: Section, name: str) -> None:
        with self.turns.of((section, name)):
            if name in section.outdated:
                self.replace(section, name, self.beneath(section, name))
                section.outdated.discard(name)

    def replace(self, section: Section, name: str, outer: Section | None) -> None:
        """Put what an outer section holds under a key in the place of what is there."""
        cache = self._holders.get(section) or next(iter(self._users), None)
        if cache is None:
            return
        if not self.dialect.may_ask(cache):
            # The test's next touch does it, when the test may ask.
            section.outdated.add(name)
            section.known.pop(name, None)
            return
        try:
            if section.touched.get(name):
                self.dialect.delete(cache, [self.full(section, name)])
        except Exception as error:  # noqa: BLE001 - the tests are not to blame
            self._say(_NOT_COPIED, error)
        if outer is not None and outer.touched[name]:
            self._bring(section, name, cache, outer)

    def state(self, section: Section, name: str) -> object:
        """Return what a key holds, and for how long."""
        cache = self._holders.get(section) or next(iter(self._users))
        if not self.dialect.may_ask(cache):
            return object()
        return self.dialect.state(self, cache, self.full(section, name))

    def copy_all(self, cache: Any) -> None:
        """Bring over all that the section in use has not yet touched."""
        section = self.current()
        if section is not None:
            for outer in list(self.outward(section)):
                for name in outer.stored():
                    if name not in section.touched:
                        self.touch(section, name, cache, Use.READING)

    def add(self, cache: Any) -> None:
        """Take note of a cache that uses this space."""
        self._users.add(cache)
        self.modules |= self.dialect.modules(cache)

    def share(self) -> None:
        """Bring everything over into the section in use, for other processes."""
        section = self.current()
        cache = next(iter(self._users), None)
        if section is not None and cache is not None:
            section.is_joined = True
            self.copy_all(cache)
            self._holders.setdefault(section, cache)

    def clear(self, cache: Any) -> bool:
        """Begin an empty section; False where plain keys are in use."""
        before = self.renew()
        if before is None:
            return False
        if not self.dialect.is_in_transaction(cache):
            self.finish(before)
            return True
        section = before.frame.sections[self]
        section.cleared = before

        def undo() -> None:
            self.put_back(before, section)
            self.finish(section)

        self.dialect.on_rollback(cache, undo)
        return True

    def clear_joined(self, section: Section, cache: Any) -> None:
        """Delete what all processes that share a section have stored in it."""
        about = self._known(cache)
        names = [self.full(section, name) for name in section.stored()]
        names += journal.stored_in(about.fingerprint, section.id)
        self.dialect.delete_all(cache, names)
        self.cut(section, cache)

    def cut(self, section: Section, cache: Any) -> None:
        """Have a section see nothing of the enclosing ones."""
        self.dialect.on_rollback(
            cache, functools.partial(setattr, section, "is_cut", section.is_cut)
        )
        section.is_cut = True

    def finish(self, section: Section) -> None:
        """Let what a section has stored wait for its deletion."""
        for each in section.with_cleared():
            each.cleared = None
            self._finish(each)

    def _finish(self, section: Section) -> None:
        # First: what is stored from here on reads it.
        section.is_over = True
        holder = self._holders.pop(section, None)
        if holder is None:
            return
        if not section.id.startswith(process_token()):
            # It belongs to the parent, who reads what is recorded about it.
            JOURNAL.is_read_by_others = True
            return
        names = [self.full(section, name) for name in section.stored()]
        if section.is_joined:
            about = self._known(holder)
            names += journal.stored_in(about.fingerprint, section.id)
        for name in names if self.expiries else ():
            self.expiries.pop(name, None)
        self._wait(holder, names)

    def tidy(self, *, is_last: bool = False) -> None:
        """Delete what finished sections have stored.

        Where that has failed it is not tried again before the end of the process: a
        server that is gone may cost a timeout each time.
        """
        if is_last and self._has_looked and self._about is not None:
            # Children of ours may have ended without a chance to tidy up.
            for cache in list(self._users)[:1]:
                self._take_over(self._about, cache, in_ours=True)
        if not self._is_due or (not is_last and not self._may_delete()):
            return
        with self.frames.lock:
            self._is_due = self._has_failed = False
            waiting, self._waiting = self._waiting, {}
        while waiting:
            _, (cache, names) = waiting.popitem()
            if self._is_gone(cache) or self._is_deleted(cache, names):
                continue
            for each, those in ((cache, names), *waiting.values()):
                self._wait(each, those)
            return
        if len(self.shortened) > BATCH:
            self.shortened.clear()
        self._strike_out()
        while self._taken:
            cache, left = self._taken[-1]
            if self._is_gone(cache) or not self._is_deleted(cache, left.names):
                return
            left.forget()
            self._taken.remove((cache, left))

    def _may_delete(self) -> bool:
        """Return whether what is deleted now is gone, as far as can be told."""
        # A transaction could bring it back.
        caches = [cache for cache, _ in (*self._waiting.values(), *self._taken)]
        return not self._has_failed and not any(
            map(self.dialect.is_in_transaction, caches)
        )

    def _is_gone(self, cache: Any) -> bool:
        """Return whether what a cache stored things in is no longer there."""
        try:
            return self.dialect.is_gone(cache, self._known(cache))
        except Exception:  # noqa: BLE001 - whoever deletes says so
            return False

    def _is_deleted(self, cache: Any, names: list[str]) -> bool:
        """Delete full keys; False if that can't be done now."""
        try:
            refused = self.dialect.delete_all(cache, names)
        except Exception as error:  # noqa: BLE001 - the tests are not to blame
            self._has_failed = self._is_due = True
            self._say(_NOT_DELETED, error)
            return False
        if refused and not self._has_refused:
            self._has_refused = True
            self._say(_REFUSED, next(iter(refused.values())))
        return True

    @property
    def is_untidy(self) -> bool:
        """Whether more waits to be deleted than fits into one batch."""
        return any(len(names) >= BATCH for _, names in self._waiting.values())

    def forget_waiting(self) -> None:
        """Leave it to the parent process, from which this one was forked."""
        self._waiting.clear()
        self._taken.clear()
        self._holders.clear()

    def _wait(self, cache: Any, names: Iterable[str]) -> None:
        with self.frames.lock:
            self._waiting.setdefault(id(cache), (cache, []))[1].extend(names)
            self._is_due = True

    @property
    def has_waiting(self) -> bool:
        """Whether anything waits to be deleted."""
        return bool(self._waiting or self._taken)

    def _bring(self, section: Section, name: str, cache: Any, outer: Section) -> None:
        source, target = self.full(outer, name), self.full(section, name)
        self._note(target, cache)
        try:
            self.dialect.copy(self, cache, source, target)
        except Exception as error:  # noqa: BLE001 - the operation itself will tell
            self._say(_NOT_COPIED, error)
        self._is_stored(section, name, cache)

    def _is_stored(self, section: Section, name: str, cache: Any) -> None:
        section.touched[name] = True
        self._holders[section] = cache
        if section.is_over and section.id.startswith(process_token()):
            # By a thread that goes on after its test, which has been tidied up.
            self._wait(cache, [self.full(section, name)])

    def _say(self, text: str, error: Exception) -> None:
        about = self._about
        notices.note(
            text.format(
                alias=self.alias,
                backend=about.kind if about else "?",
                location=about.location if about else "?",
                error=redacted(f"{type(error).__name__}: {error}".rstrip(". ")),
            )
        )

    def _note(self, full: str, cache: Any) -> None:
        about = self._known(cache)
        if not self._is_lasting:
            return
        if not self._has_looked:
            self._has_looked = True
            self._take_over(about, cache)
        JOURNAL.note(about, full)

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

    def _known(self, cache: Any) -> journal.About:
        if self._about is None:
            self._about = self.dialect.about(self.alias, cache)
            self._is_lasting = self.dialect.is_lasting(cache)
        return self._about

    def _strike_out(self) -> None:
        if self._about is not None:
            scopes = self.frames.everywhere()
            alive = [each.sections[self] for each in scopes if self in each.sections]
            JOURNAL.keep(
                self._about.fingerprint,
                [
                    self.full(each, name)
                    for section in alive
                    for each in section.with_cleared()
                    for name in each.stored()
                ],
            )


def _as_it_is(section: Section, name: str) -> Callable[[], None]:
    """Return what makes a section know again of a name what it knows now."""
    touched = section.touched.get(name)
    is_outdated = name in section.outdated
    is_unchanged = name not in (section.changed or ())

    def undo() -> None:
        section.known.pop(name, None)
        if touched is None:
            section.touched.pop(name, None)
        else:
            section.touched[name] = touched
        if is_outdated:
            section.outdated.add(name)
        if is_unchanged and section.changed is not None:
            section.changed.discard(name)

    return undo
