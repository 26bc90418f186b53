"""The sections of one server or table: ids in front of its keys."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Hashable, Iterator
from typing import Any

from ci_cache_isolation.isolation import journal
from ci_cache_isolation.isolation.changes import watch
from ci_cache_isolation.isolation.clocks import Expiries
from ci_cache_isolation.isolation.deletions import BATCH, Deletions
from ci_cache_isolation.isolation.full_keys import FullKeys
from ci_cache_isolation.isolation.journal import JOURNAL
from ci_cache_isolation.isolation.process import process_token
from ci_cache_isolation.isolation.sections import Frames, Section, Space, Use
from ci_cache_isolation.isolation.server_access import ServerAccess

__all__ = ["KeySpace"]

_STORING_NOTHING = frozenset({Use.READING, Use.DELETING})
_MANY_READS = 8

_NOT_COPIED = (
    "What an enclosing scope stored under a key of cache {alias!r} could not be "
    "brought into a test's section: {error}. The test does not see it. "
    "Read the server's log, or store it in the test itself."
)


class KeySpace(Space):
    """All sections of one server or table, and what of it waits to be deleted."""

    def __init__(
        self, frames: Frames, alias: str, dialect: ServerAccess, server: Hashable
    ) -> None:
        super().__init__(frames, alias, f"{type(dialect).__name__}:{server!r}")
        self.dialect = dialect
        self._users: weakref.WeakSet[Any] = weakref.WeakSet()
        self.server = server
        self.keys = FullKeys(dialect.key_limit, counts_bytes=dialect.counts_bytes)
        self.deletions = Deletions(alias, dialect)
        self.modules: frozenset[str] = frozenset()
        self.expiries: Expiries = {}
        self._holders: dict[Section, Any] = {}
        # Whether a key was ever made: there are backends that use keys as they are.
        self.is_asked = False

    def full(self, section: Section, name: str) -> str:
        """Return what a key is called on the server when it is in a section."""
        return self.keys.within(section.id + name)

    def own_key(self, key: str) -> str:
        """Return the user's key behind one that was made in the section in use."""
        section = self.section if self.frame is self.frames.top else self.enter()
        if section is None or not key.startswith(section.id):
            return key
        return self.keys.own(key)

    def own_text(self, text: str) -> str:
        """Return a text that names a key, with the user's key in its place."""
        section = self.current()
        if section is None or section.id not in text:
            return text
        return self.keys.own_text(text, section.id)

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
            self.deletions.note(self.full(section, name), cache)
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
            self.deletions.say(_NOT_COPIED, error)
        if outer is not None and outer.touched[name]:
            self._bring(section, name, cache, outer)

    def state(self, section: Section, name: str) -> object:
        """Return what a key holds, and for how long."""
        cache = self._holders.get(section) or next(iter(self._users))
        if not self.dialect.may_ask(cache):
            return object()
        return self.dialect.state(cache, self.full(section, name), self.expiries)

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
        about = self.deletions.about(cache)
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
            about = self.deletions.about(holder)
            names += journal.stored_in(about.fingerprint, section.id)
        for name in names if self.expiries else ():
            self.expiries.pop(name, None)
        self.deletions.wait(holder, names)

    def tidy(self, *, is_last: bool = False) -> None:
        """Delete what finished sections have stored."""
        cache = next(iter(self._users), None) if is_last else None
        if cache is not None:
            self.deletions.take_from_children(cache)
        self.deletions.tidy(self._alive, is_last=is_last)

    @property
    def is_untidy(self) -> bool:
        """Whether more waits to be deleted than fits into one batch."""
        return self.deletions.is_untidy

    @property
    def has_waiting(self) -> bool:
        """Whether anything waits to be deleted."""
        return self.deletions.has_waiting

    def forget_waiting(self) -> None:
        """Leave it to the parent process, from which this one was forked."""
        self.deletions.forget()
        self._holders.clear()

    def _alive(self) -> Iterator[str]:
        """Yield all full keys that open sections have stored."""
        if len(self.keys.shortened) > BATCH:
            self.keys.shortened.clear()
        for scope in self.frames.everywhere():
            if self in scope.sections:
                for section in scope.sections[self].with_cleared():
                    for name in section.stored():
                        yield self.full(section, name)

    def _bring(self, section: Section, name: str, cache: Any, outer: Section) -> None:
        source, target = self.full(outer, name), self.full(section, name)
        self.deletions.note(target, cache)
        try:
            self.dialect.copy(cache, source, target, self.expiries)
        except Exception as error:  # noqa: BLE001 - the operation itself will tell
            self.deletions.say(_NOT_COPIED, error)
        self._is_stored(section, name, cache)

    def _is_stored(self, section: Section, name: str, cache: Any) -> None:
        section.touched[name] = True
        self._holders[section] = cache
        if section.is_over and section.id.startswith(process_token()):
            # By a thread that goes on after its test, which has been tidied up.
            self.deletions.wait(cache, [self.full(section, name)])


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
