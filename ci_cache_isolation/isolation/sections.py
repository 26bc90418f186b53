"""Sections that have an id: what a scope sees of one server, table or directory.

Beginning one is counting on: nothing is sent, and nobody is asked. The first touch, in
a section, of what an enclosing section has touched brings it over; until then nothing
is copied. What a section touched is known here, so it can be deleted without a search.
"""

from __future__ import annotations

import enum
import hashlib
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import ClassVar

from ci_cache_isolation.isolation.changes import settle, standing
from ci_cache_isolation.isolation.inherited_sections import Joined
from ci_cache_isolation.isolation.process import new_lock, next_number, section_id
from ci_cache_isolation.isolation.turns import Turns

__all__ = ["Frame", "Frames", "Section", "Space", "Use", "Visit"]


_NOTHING_KNOWN: dict[str, str] = {}


class Use(enum.Enum):
    """What an operation does with a name."""

    READING = "reading"
    DELETING = "deleting"
    STORING = "storing"
    SETTING = "setting"
    """Storing, whatever was there before."""
    RENEWING = "renewing"
    """Having what is there live for another time, which may be the same."""


class Section:
    """What one scope sees of one space.

    ``touched`` holds every name that was asked for, as made from the user's key, and
    whether something may be stored under it. A section that is cut sees nothing of the
    enclosing ones: it was cleared. ``outer`` is the one that a fork cut it off from.
    One that is joined is shared with other processes, parent and children.
    ``changed`` holds what was stored or deleted since a visit to it began, and
    ``watched`` how that stood before which may have been. ``known``
    holds full names by name, of those of which nothing more is to be taken note.
    ``reads`` counts how often a name was asked for under which nothing is stored.
    What is stored under ``outdated`` names is to be replaced, when that can be done.
    ``cleared`` is the section in whose place this one is, as long as that can be
    undone: it ends with this one. One that ``is_over`` is touched by threads that go
    on after it: what they store in it has to be deleted one by one.
    """

    __slots__ = (
        "changed",
        "cleared",
        "frame",
        "id",
        "is_cut",
        "is_joined",
        "is_over",
        "known",
        "outdated",
        "outer",
        "reads",
        "touched",
        "watched",
    )

    def __init__(self, frame: Frame, number: int) -> None:
        self.id = section_id(number)
        self.frame = frame
        self.touched: dict[str, bool] = {}
        self.known: dict[str, str] = {}
        self.outdated: set[str] = set()
        self.reads: dict[str, int] = {}
        self.changed: set[str] | None = set() if frame.is_visited else None
        self.watched: dict[str, object] = {}
        self.is_cut = False
        self.is_joined = False
        self.is_over = False
        self.outer: Section | None = None
        self.cleared: Section | None = None

    def stored(self) -> list[str]:
        """Return the names under which something may be stored."""
        # A copy, made in one step: other threads go on meanwhile.
        return [name for name, is_stored in self.touched.copy().items() if is_stored]

    def with_cleared(self) -> list[Section]:
        """Return this one, and those in whose place it is."""
        return [self] if self.cleared is None else [self, *self.cleared.with_cleared()]


class Frame:
    """One open scope, and the sections that were needed in it: mostly none."""

    __slots__ = ("is_raw", "is_visited", "joined", "number", "sections")

    def __init__(self, number: int, *, is_raw: bool = False) -> None:
        self.number = number
        self.is_visited = False
        self.joined: Joined | None = None
        self.is_raw = is_raw
        self.sections: dict[Space, Section] = {}


class Visit:
    """What is put aside while one works in an outer scope."""

    __slots__ = ("before", "inner", "outer", "was_visited")

    def __init__(self, outer: Frame, inner: list[Frame]) -> None:
        self.outer = outer
        self.inner = inner
        # A visit in a visit: what was changed before it began is none of its.
        self.was_visited = outer.is_visited
        self.before = {
            section: section.changed or set() for section in outer.sections.values()
        }


class Frames:
    """The open scopes, outermost first. The first one is the process itself.

    ``top`` is the one in use. It is None as long as no tests run here, since the
    settings that switch isolation on may be those of a server; and in a test that
    asked for plain keys.
    """

    def __init__(self) -> None:
        self.open = [Frame(0)]
        self.visits: list[Visit] = []
        self.top: Frame | None = None
        self.is_active = False
        self.lock = new_lock(self, "lock")
        self.on_first_section: Callable[[], None] | None = None

    def activate(self) -> None:
        """Let the process itself have sections: tests are about to run in it."""
        self.is_active = True
        self._look()

    def deactivate(self) -> None:
        """Let nothing have sections any more."""
        self.is_active = False
        self.top = None

    def push(self, number: int, *, is_raw: bool) -> None:
        """Open a scope inside the innermost one."""
        self.is_active = True
        frame = Frame(number, is_raw=is_raw)
        with self.lock:
            frame.is_visited = self.open[-1].is_visited
            self.open.append(frame)
            self.top = None if is_raw else frame

    def pop(self) -> Frame:
        """Close the innermost scope."""
        with self.lock:
            frame = self.open.pop()
            self._look()
        return frame

    def everywhere(self) -> list[Frame]:
        """Return all scopes, also those that are put aside for a visit."""
        return self.open + [frame for visit in self.visits for frame in visit.inner]

    def visit(self, depth: int) -> Visit:
        """Put aside all but the ``depth`` outermost scopes and the process."""
        for space, section in list(self.open[depth].sections.items()):
            settle(space, section)
        visit = Visit(self.open[depth], self.open[depth + 1 :])
        del self.open[depth + 1 :]
        visit.outer.is_visited = True
        for section in visit.outer.sections.values():
            section.changed = set()
            section.known.clear()
        self.visits.append(visit)
        self._look()
        return visit

    def leave(self, visit: Visit) -> dict[Space, set[str]]:
        """Bring back what was put aside; return what was changed meanwhile."""
        changed: dict[Space, set[str]] = {}
        # A block that one went back to in order to end it is no longer there.
        is_there = visit.outer in self.open
        visited = self.open[self.open.index(visit.outer) :] if is_there else []
        for frame in visited:
            frame.is_visited = visit.was_visited
            for space, section in list(frame.sections.items()):
                settle(space, section)
                names = section.changed or set()
                changed.setdefault(space, set()).update(names)
                before = visit.before.get(section, set())
                section.changed = before | names if visit.was_visited else None
        self.visits.remove(visit)
        self.open += visit.inner
        self._look()
        return changed

    def _look(self) -> None:
        frame = self.open[-1]
        self.top = frame if self.is_active and not frame.is_raw else None


class Space(ABC):
    """All sections of one server, table or directory in this process.

    Caches refer to it, so when they are copied or pickled, it is asked for by name.
    """

    _named: ClassVar[weakref.WeakValueDictionary[str, Space]] = (
        weakref.WeakValueDictionary()
    )

    def __init__(self, frames: Frames, alias: str, name: str) -> None:
        self.frames = frames
        self.alias = alias
        # The same in every process. It goes into the environment of others, so it may
        # not hold the password of a server.
        self.name = hashlib.blake2b(name.encode(), digest_size=10).hexdigest()
        self._named[self.name] = self
        # What `section` was last found for.
        self.frame: object = self
        self.section: Section | None = None
        self.known: dict[str, str] = _NOTHING_KNOWN
        self.turns = Turns()

    def __deepcopy__(self, memo: object) -> Space:
        return self

    def __reduce__(self) -> tuple[Callable[[str], Space | None], tuple[str]]:
        return _space_named, (self.name,)

    def enter(self) -> Section | None:
        """Return the section in use, a new one if need be; None for plain keys."""
        with self.frames.lock:
            frame = self.frames.top
            section = None
            if frame is not None:
                section = frame.sections.get(self)
                if section is None:
                    section = self._new(frame)
                    frame.sections[self] = section
            # In this order: other threads read the frame first.
            self.section = section
            self.known = _NOTHING_KNOWN if section is None else section.known
            self.frame = frame
            return section

    def _new(self, frame: Frame) -> Section:
        section = Section(frame, frame.number)
        if frame.joined is not None:
            section.id = frame.joined.id_for(self.name)
            # The process that it belongs to has brought everything over.
            section.is_cut = section.is_joined = True
        if self.frames.on_first_section is not None:
            self.frames.on_first_section()
        return section

    def current(self) -> Section | None:
        """Return the section in use; None for plain keys."""
        return self.section if self.frame is self.frames.top else self.enter()

    def renew(self) -> Section | None:
        """Put an empty section in the place of the one in use: it was cleared.

        Returns the one that was in use.
        """
        with self.frames.lock:
            before = self.current()
            if before is not None:
                section = Section(before.frame, next_number())
                section.is_cut = True
                changed = before.changed
                self.note_clearing(before)
                section.changed, before.changed = before.changed, changed
                before.frame.sections[self] = section
                self.forget()
            return before

    def put_back(self, before: Section, section: Section) -> None:
        """Have a section in the place of the one that `renew` put there."""
        with self.frames.lock:
            section.cleared = None
            if before.frame.sections.get(self) is section:
                before.frame.sections[self] = before
                self.forget()

    def note_clearing(self, section: Section) -> None:
        """Take note that all is about to be deleted that a section sees."""
        if section.changed is not None:
            seen = (section, *self.outward(section))
            empty = Section(section.frame, next_number())
            section.changed = section.changed | standing(self, seen, empty)

    def forget(self) -> None:
        """Look the section up anew next time."""
        self.frame = self

    def enclosing(self, section: Section, name: str) -> Section | None:
        """Return the nearest enclosing section that has touched a name."""
        for outer in self.outward(section):
            if name in outer.touched:
                return outer
        return None

    def carry(self, names: Iterable[str], frames: Iterable[Frame]) -> None:
        """Let inner scopes see what was changed in an outer one, whatever they did.

        What they have not touched they see anyway.
        """
        sections = [frame.sections[self] for frame in frames if self in frame.sections]
        for section in sections:
            for name in names:
                if name in section.touched or section.is_cut:
                    outer = self.beneath(section, name)
                    self.replace(section, name, outer)
                    if section.changed is not None:
                        section.changed.add(name)

    @abstractmethod
    def state(self, section: Section, name: str) -> object:
        """Return something that is equal as long as a name holds the same."""

    def beneath(self, section: Section, name: str) -> Section | None:
        """Return where a name stands outside of a section, even of one that is cut."""
        is_cut, section.is_cut = section.is_cut, False
        try:
            return self.enclosing(section, name)
        finally:
            section.is_cut = is_cut

    def outward(self, section: Section) -> Iterator[Section]:
        """Yield the sections that a section sees through to, the nearest first."""
        frames = self.frames.open
        place = frames.index(section.frame) if section.frame in frames else 0
        while not section.is_cut:
            found = section.outer
            while found is None and place > 0:
                place -= 1
                found = frames[place].sections.get(self)
            if found is None:
                return
            section = found
            yield section

    @abstractmethod
    def replace(self, section: Section, name: str, outer: Section | None) -> None:
        """Put what an outer section holds under a name in the place of what is there.

        That is nothing where ``outer`` is None.
        """

    @abstractmethod
    def finish(self, section: Section) -> None:
        """Take note that a section has ended: nobody will read it again."""

    @abstractmethod
    def tidy(self, *, is_last: bool = False) -> None:
        """Delete what finished sections have stored. ``is_last``: the process ends."""

    @property
    @abstractmethod
    def has_waiting(self) -> bool:
        """Whether anything waits to be deleted."""

    @property
    @abstractmethod
    def is_untidy(self) -> bool:
        """Whether so much waits to be deleted that it should not wait any longer."""

    @abstractmethod
    def forget_waiting(self) -> None:
        """Leave it to the parent process, from which this one was forked."""

    @abstractmethod
    def share(self) -> None:
        """Bring everything over into the section in use, for other processes."""


def _space_named(name: str) -> Space | None:
    """Return what a pickled cache refers to; None in a process that has no such."""
    return Space._named.get(name)  # noqa: SLF001
