"""Sections that have an id: what a scope sees of one server, table or directory.

Beginning one is counting on: nothing is sent, and nobody is asked. The first touch, in
a section, of what an enclosing section has touched brings it over; until then nothing
is copied. What a section touched is known here, so it can be deleted without a search.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator

from ci_cache_isolation.isolation.joining import Joined
from ci_cache_isolation.isolation.process import next_number, section_id

__all__ = ["Frame", "Frames", "Section", "Space"]


class Section:
    """What one scope sees of one space.

    ``touched`` holds every name that was asked for, as made from the user's key, and
    whether something may be stored under it. A section that is cut sees nothing of the
    enclosing ones: it was cleared. ``outer`` is the one that a fork cut it off from.
    One that is joined is shared with other processes, parent and children.
    """

    __slots__ = ("frame", "id", "is_cut", "is_joined", "outer", "touched")

    def __init__(self, frame: Frame, number: int) -> None:
        self.id = section_id(number)
        self.frame = frame
        self.touched: dict[str, bool] = {}
        self.is_cut = False
        self.is_joined = False
        self.outer: Section | None = None

    def stored(self) -> list[str]:
        """Return the names under which something may be stored."""
        return [name for name, is_stored in self.touched.items() if is_stored]


class Frame:
    """One open scope, and the sections that were needed in it: mostly none."""

    __slots__ = ("is_raw", "joined", "number", "sections")

    def __init__(self, number: int, *, is_raw: bool = False) -> None:
        self.number = number
        self.joined: Joined | None = None
        self.is_raw = is_raw
        self.sections: dict[Space, Section] = {}


class Frames:
    """The open scopes, outermost first. The first one is the process itself.

    ``top`` is the one in use. It is None as long as no tests run here, since the
    settings that switch isolation on may be those of a server; and in a test that
    asked for plain keys.
    """

    def __init__(self) -> None:
        self.open = [Frame(0)]
        self.top: Frame | None = None
        self.is_active = False
        self.lock = threading.RLock()
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
        self.open.append(frame)
        self.top = None if is_raw else frame

    def pop(self) -> Frame:
        """Close the innermost scope."""
        frame = self.open.pop()
        self._look()
        return frame

    def cut(self, depth: int) -> list[Frame]:
        """Take away all but the ``depth`` outermost scopes and the process."""
        taken = self.open[depth + 1 :]
        del self.open[depth + 1 :]
        self._look()
        return taken

    def extend(self, frames: list[Frame]) -> None:
        """Bring back what `cut` took away."""
        self.open += frames
        self._look()

    def _look(self) -> None:
        frame = self.open[-1]
        self.top = frame if self.is_active and not frame.is_raw else None


class Space(ABC):
    """All sections of one server, table or directory in this process."""

    def __init__(self, frames: Frames, alias: str, name: str) -> None:
        self.frames = frames
        self.alias = alias
        # The same in every process.
        self.name = name
        # What `section` was last found for.
        self.frame: object = self
        self.section: Section | None = None

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
            # In this order: other threads look at the frame first.
            self.section = section
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
                before.frame.sections[self] = section
                self.forget()
            return before

    def forget(self) -> None:
        """Look the section up anew next time."""
        self.frame = self

    def enclosing(self, section: Section, name: str) -> Section | None:
        """Return the nearest enclosing section that has touched a name."""
        for outer in self.outward(section):
            if name in outer.touched:
                return outer
        return None

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
    def finish(self, section: Section) -> None:
        """Take note that a section has ended: nobody will look at it again."""

    @abstractmethod
    def tidy(self) -> None:
        """Delete what finished sections have stored."""

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
