"""Stores that outlive the process: sections with an id, on servers and on disks."""

from __future__ import annotations

import atexit
import functools
import multiprocessing
import multiprocessing.util
import weakref
from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from django.core.cache.backends.filebased import FileBasedCache

from ci_cache_isolation.isolation import filespace, inherited, keys, needed
from ci_cache_isolation.isolation.dialects import dialect_of
from ci_cache_isolation.isolation.dialects.methods import hands_on
from ci_cache_isolation.isolation.filespace import FileSpace
from ci_cache_isolation.isolation.inherited_sections import Joined, announced, joined
from ci_cache_isolation.isolation.journal import JOURNAL
from ci_cache_isolation.isolation.keyspace import KeySpace
from ci_cache_isolation.isolation.patches import Patches
from ci_cache_isolation.isolation.process import after_fork, next_number, section_id
from ci_cache_isolation.isolation.sections import Frame, Frames, Section, Visit
from ci_cache_isolation.isolation.stores.base import Store

__all__ = ["SectionedStore"]

_REACHED = "_ci_cache_isolation_reached"


class SectionedStore(Store):
    """Sections of caches on servers, in tables and in directories."""

    names = ("keyspace", "files")

    def __init__(self) -> None:
        self.frames = Frames()
        self._spaces: dict[Hashable, KeySpace | FileSpace] = {}
        self._by_alias: dict[str, KeySpace | FileSpace] = {}
        self._patches = Patches()
        self._prepared: set[type] = set()
        self._kept: list[Frame] = []
        self._has_ended = False
        self.frames.on_first_section = self._at_first_section
        after_fork(self._after_fork)

    @staticmethod
    def place_of(alias: str, cache: Any) -> str:
        """Return a cache's directory, or what names its server and its part of it."""
        if isinstance(cache, FileBasedCache):
            return filespace.location_of(cache)
        dialect = dialect_of(type(cache))
        return alias if dialect is None else repr(dialect.server(cache))

    def prepare(self, cache_class: type) -> None:
        """Wrap what has to know of sections before an object of the class exists."""
        if cache_class not in self._prepared:
            with self.frames.lock:
                self._prepare(cache_class)

    def _prepare(self, cache_class: type) -> None:
        if cache_class in self._prepared:
            return
        if self.frames.is_active:
            # The first of a library that was not loaded when tests began.
            needed.check()
        if issubclass(cache_class, FileBasedCache):
            filespace.patch(self._patches, cache_class)
        else:
            dialect = dialect_of(cache_class)
            if dialect is None:
                return
            dialect.patch(self._patches, cache_class)
        self._prepared.add(cache_class)

    def adopt(self, alias: str, cache: Any) -> bool:
        """Have a cache's entries stored in sections."""
        self.prepare(type(cache))
        # Threads open caches of their own, and all of them share one space.
        with self.frames.lock:
            return self._adopt(alias, cache)

    def _adopt(self, alias: str, cache: Any) -> bool:
        cache_class = type(cache)
        if issubclass(cache_class, FileBasedCache):
            location = filespace.location_of(cache)
            files = self._spaces.get(location)
            if not isinstance(files, FileSpace):
                files = FileSpace(self.frames, alias, location)
                self._spaces[location] = files
            filespace.take(cache, files)
            _reach_clear(cache, files)
            self._by_alias[alias] = files
            return True
        dialect = dialect_of(cache_class)
        if hands_on(cache, inherited.knows):
            # The others are isolated, and a clear() of theirs is its clear().
            return True
        if dialect is None or not keys.can_take(cache):
            return False
        dialect.patch_opened(self._patches, cache)
        dialect.opened(alias, cache)
        server = type(dialect), dialect.server(cache)
        space = self._spaces.get(server)
        if not isinstance(space, KeySpace):
            space = KeySpace(self.frames, alias, dialect, server[1])
            self._spaces[server] = space
        space.add(cache)
        keys.take(cache, space)
        _reach_clear(cache, space)
        self._by_alias[alias] = space
        return True

    def activate(self) -> None:
        """Let the process have sections, for what is stored outside of all tests."""
        self.frames.activate()
        self.frames.open[0].joined = joined()

    def deactivate(self) -> None:
        """Make keys plain again."""
        self.frames.deactivate()
        self._patches.undo()
        self._prepared.clear()

    def begin(self, number: int = 0, *, is_raw: bool = False) -> None:
        """Count on. Nothing is sent."""
        self.frames.push(number, is_raw=is_raw)

    def end(self) -> None:
        """Let what the section has stored wait for its deletion."""
        frame = self.frames.pop()
        if frame.sections:
            for space, section in list(frame.sections.items()):
                space.finish(section)
                if space.is_untidy:
                    space.tidy()

    def suspend(self, depth: int) -> Visit:
        """Set the inner scopes aside."""
        return self.frames.visit(depth)

    def resume(self, suspended: Visit) -> None:
        """Bring the inner scopes back, with what was done meanwhile in all of them."""
        for space, names in self.frames.leave(suspended).items():
            space.carry(names, suspended.inner)

    def tidy(self) -> None:
        """Delete what finished sections have stored."""
        for space in list(self._spaces.values()):
            space.tidy()

    def finish(self) -> None:
        """Do now what the exit handler would do."""
        self._at_exit()

    def section_id(self, alias: str, number: int) -> str | None:
        """Return the id of an alias's section in use; the alias is not opened."""
        if self.frames.top is None:
            return None
        space = self._by_alias.get(alias)
        section = None if space is None else space.current()
        return section_id(number) if section is None else section.id

    def share(self) -> AbstractContextManager[None]:
        """Let processes that are started meanwhile work in the sections in use."""
        frame = self.frames.top
        if frame is None:
            return nullcontext()
        for space in list(self._spaces.values()):
            space.share()
        ids = {space.name: section.id for space, section in frame.sections.items()}
        return announced(Joined(section_id(frame.number), ids))

    def keep_common(self) -> Joined:
        """Make sections for processes to meet in, until `drop_common`.

        They begin with what this process holds, and it does not see them itself.
        """
        JOURNAL.hold()
        number = next_number()
        self.frames.push(number, is_raw=False)
        for space in list(self._spaces.values()):
            space.share()
        frame = self.frames.pop()
        self._kept.append(frame)
        ids = {space.name: section.id for space, section in frame.sections.items()}
        return Joined(section_id(number), ids)

    def drop_common(self) -> None:
        """Delete what was stored in common sections: nobody works in them any more."""
        for frame in self._kept:
            for space, section in frame.sections.items():
                space.finish(section)
        self._kept.clear()
        self.tidy()

    def _at_first_section(self) -> None:
        """Tidy up at the end of this process, however it was started."""
        self.frames.on_first_section = None
        atexit.register(self._at_exit)
        if multiprocessing.parent_process() is not None:
            # Their exit handlers are not called before Python 3.13.
            multiprocessing.util.Finalize(None, self._at_exit, exitpriority=0)

    def _at_exit(self) -> None:
        # A forked worker may come by here twice: as one of multiprocessing's, and by
        # exit handlers that it inherited.
        if self._has_ended:
            return
        self._has_ended = True
        for frame in self.frames.everywhere():
            for space, section in frame.sections.items():
                space.finish(section)
            frame.sections.clear()
        self.frames.deactivate()
        for space in list(self._spaces.values()):
            space.tidy(is_last=True)
        is_left = any(space.has_waiting for space in self._spaces.values())
        if is_left or JOURNAL.is_read_by_others:
            JOURNAL.leave()
        else:
            JOURNAL.close()

    def _after_fork(self) -> None:
        """Be isolated from the parent, but for what it stored outside of all tests."""
        JOURNAL.after_fork()
        self._has_ended = False
        self._kept.clear()
        self.frames.on_first_section = self._at_first_section
        process, *scopes = self.frames.everywhere()
        for frame in scopes:
            frame.sections.clear()
        for space, outer in list(process.sections.items()):
            section = Section(process, 0)
            section.outer = outer
            process.sections[space] = section
        told = joined()
        if told is not None and self.frames.top is not None:
            self.frames.top.sections.clear()
            self.frames.top.joined = told
        for space in list(self._spaces.values()):
            space.forget()
            space.forget_waiting()


def _reach_clear(cache: Any, space: KeySpace | FileSpace) -> None:
    """Come before whoever put a ``clear`` of its own on an object: tools, or itself.

    What that calls is the backend's own, which empties the whole server.
    """
    for name in ("clear", "aclear"):
        wrapped = vars(cache).get(name)
        if wrapped is not None and not hasattr(wrapped, _REACHED):
            vars(cache)[name] = _reaching(cache, space, name, wrapped)


def _reaching(
    cache: Any, space: KeySpace | FileSpace, name: str, wrapped: Callable[..., Any]
) -> Callable[..., Any]:
    reference = weakref.ref(cache)

    @functools.wraps(wrapped)
    def clear(*args: Any, **kwargs: Any) -> Any:
        held = reference()
        if held is None or space.current() is None:
            return wrapped(*args, **kwargs)
        return getattr(type(held), name)(held, *args, **kwargs)

    setattr(clear, _REACHED, True)
    return clear
