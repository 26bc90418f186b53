"""The sections of FileBasedCache: a directory for each inside its LOCATION.

A directory and not a prefix, since every ``set()`` lists the directory. Inside
LOCATION, so that disk, quota and permissions are those that the user's cache has.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from django.core.cache.backends.filebased import FileBasedCache

from ci_cache_isolation.isolation import journal, notices
from ci_cache_isolation.isolation.changes import watch
from ci_cache_isolation.isolation.deletions import BATCH
from ci_cache_isolation.isolation.journal import JOURNAL
from ci_cache_isolation.isolation.patches import Patches
from ci_cache_isolation.isolation.process import TOKEN_LENGTH, process_token
from ci_cache_isolation.isolation.sections import Frames, Section, Space, Use

__all__ = [
    "DIRECTORY",
    "FILES",
    "FileSpace",
    "location_of",
    "not_removed",
    "patch",
    "take",
]

DIRECTORY = ".ci-cache-isolation-"
"""What the names of our directories begin with; a process's token follows."""
FILES = "files"
"""What is recorded as the kind of these spaces."""
_ATTRIBUTE = "_dir"
_SPACE = "_ci_cache_isolation_files"
_USES = {"get": Use.READING, "has_key": Use.READING, "touch": Use.RENEWING}
_NOT_DELETED = (
    "What tests stored in cache {alias!r} could not be deleted: {error}. "
    "It stays in {directory}, where no test sees it. "
    "`cache-isolation purge` deletes it later, when that can be done."
)


class FileSpace(Space):
    """All sections of one LOCATION. Names are those of its files."""

    def __init__(self, frames: Frames, alias: str, location: str) -> None:
        super().__init__(frames, alias, f"files:{location}")
        self.location = location
        self._finished: list[str] = []
        self._about: journal.About | None = None

    @property
    def own(self) -> str:
        """The directory that holds this process's sections."""
        return self._of(process_token())

    def directory(self, section: Section) -> str:
        """Return where a section's files are."""
        token, number = section.id[:TOKEN_LENGTH], section.id[TOKEN_LENGTH:]
        return os.path.join(self._of(token), number)  # noqa: PTH118

    def _of(self, token: str) -> str:
        # One for each process: where they shared one, the last to leave would remove
        # it while another one is about to make its own in there.
        return os.path.join(self.location, DIRECTORY + token)  # noqa: PTH118

    def touch(self, section: Section, name: str, use: Use) -> None:
        """Take note of a file; bring over what an enclosing section holds of it."""
        if name not in section.touched:
            self._touch(section, name)
        if use is not Use.READING:
            watch(self, section, name, renews=use is Use.RENEWING)

    def _touch(self, section: Section, name: str) -> None:
        if self._about is None:
            self._note()
        outer = self.enclosing(section, name)
        if outer is None:
            section.touched[name] = True
            return
        with self.turns.of((section, name)):
            if name not in section.touched:
                self._copy(outer, section, name)
                section.touched[name] = True

    def state(self, section: Section, name: str) -> object:
        """Return what differs as soon as a file is written."""
        try:
            found = os.stat(os.path.join(self.directory(section), name))  # noqa: PTH116, PTH118
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def copy_all(self) -> None:
        """Bring over all that the section in use has not yet touched."""
        section = self.current()
        if section is not None:
            for outer in list(self.outward(section)):
                for name in outer.touched.copy():
                    self.touch(section, name, Use.READING)

    def share(self) -> None:
        """Bring everything over into the section in use, for other processes."""
        section = self.current()
        if section is not None:
            section.is_joined = True
            self.copy_all()
            section.touched.setdefault("", True)
            if self._about is None:
                # Those who join make the directory, and don't remove it.
                self._note()

    def count(self) -> int:
        """Return how many files there are at most in the section in use."""
        section = self.current()
        if section is None:
            return 0
        seen = (section, *self.outward(section))
        return len({name for each in seen for name in each.touched.copy()})

    def finish(self, section: Section) -> None:
        """Let a section's directory wait for its removal."""
        if section.touched and section.id.startswith(process_token()):
            self._finished.append(self.directory(section))

    def replace(self, section: Section, name: str, outer: Section | None) -> None:
        """Put what an outer section holds of a file in the place of what is there."""
        with contextlib.suppress(OSError):
            os.remove(os.path.join(self.directory(section), name))  # noqa: PTH107, PTH118
        if outer is not None:
            self._copy(outer, section, name)
        section.touched[name] = True

    def tidy(self, *, is_last: bool = False) -> None:
        """Remove the directories of finished sections, and in the end our own."""
        finished, self._finished = self._finished, []
        for directory in finished:
            try:
                shutil.rmtree(directory)
            except FileNotFoundError:
                pass
            except OSError as error:
                self._finished.append(directory)
                notices.note(
                    _NOT_DELETED.format(
                        alias=self.alias, error=error, directory=directory
                    )
                )
        if is_last and self._about is not None:
            # Children of ours may have ended without a chance to tidy up.
            self._take_over(self._about, in_ours=True)
            with contextlib.suppress(OSError):
                os.rmdir(self.own)  # noqa: PTH106

    @property
    def has_waiting(self) -> bool:
        """Whether anything waits to be removed."""
        return bool(self._finished)

    @property
    def is_untidy(self) -> bool:
        """Whether much waits to be removed."""
        return len(self._finished) >= BATCH

    def forget_waiting(self) -> None:
        """Leave it to the parent process, from which this one was forked."""
        self._finished.clear()
        self._about = None

    def _note(self) -> None:
        about = journal.About(
            hashlib.blake2b(self.location.encode(), digest_size=10).hexdigest(),
            self.alias,
            FILES,
            self.location,
        )
        self._take_over(about)
        JOURNAL.note(about, self.own)
        self._about = about

    def _take_over(self, about: journal.About, *, in_ours: bool = False) -> None:
        """Remove what killed processes left."""
        if JOURNAL.leaves_the_dead:
            return
        for left in journal.dead(about.fingerprint, in_ours=in_ours):
            if not not_removed(left.names):
                left.forget()

    def _copy(self, outer: Section, section: Section, name: str) -> None:
        source = os.path.join(self.directory(outer), name)  # noqa: PTH118
        target = self.directory(section)
        # Where nobody looks for files, until it is whole.
        made = f"{target}-{threading.get_ident()}"
        is_cut = section.is_cut
        # The operation itself meets the same disk and the same permissions.
        with contextlib.suppress(OSError):
            if os.path.exists(source):  # noqa: PTH110
                for directory in (os.path.dirname(target), target):  # noqa: PTH120
                    with contextlib.suppress(FileExistsError):
                        os.mkdir(directory, 0o700)  # noqa: PTH102
                try:
                    shutil.copy2(source, made)
                    with self.frames.lock:
                        if section.is_cut is is_cut:
                            os.replace(made, os.path.join(target, name))  # noqa: PTH105, PTH118
                finally:
                    with contextlib.suppress(FileNotFoundError):
                        os.remove(made)  # noqa: PTH107


def not_removed(paths: Iterable[str]) -> list[str]:
    """Remove what a dead process left; return what can't be removed now.

    What is no directory of ours is let be.
    """
    ours = [
        path
        for path in map(Path, paths)
        if path.name.startswith(DIRECTORY) and not path.is_symlink()
    ]
    for directory in ours:
        shutil.rmtree(directory, ignore_errors=True)
    return [str(directory) for directory in ours if directory.exists()]


def take(cache: Any, space: FileSpace) -> None:
    """Have a cache keep its files in the sections of a space."""
    vars(cache)[_SPACE] = space


def location_of(cache: Any) -> str:
    """Return a cache's LOCATION, whatever section is in use."""
    return str(vars(cache)[_ATTRIBUTE])


def patch(patches: Patches, cache_class: type) -> None:
    """Let FileBasedCache know of sections, and what a class has overridden."""
    patches.put(FileBasedCache, _ATTRIBUTE, _Directory())
    for owner in cache_class.__mro__:
        for name, wrapping in _WRAPPINGS.items():
            if issubclass(owner, FileBasedCache) and name in vars(owner):
                patches.wrap(owner, name, wrapping)


class _Directory:
    """The attribute ``_dir``: the directory of the section in use."""

    def __get__(self, cache: Any, owner: type | None = None) -> Any:
        if cache is None:
            return self
        state = vars(cache)
        space, section = _in_use(cache)
        if space is None or section is None:
            try:
                return state[_ATTRIBUTE]
            except KeyError:
                raise AttributeError(_ATTRIBUTE) from None
        return space.directory(section)

    def __set__(self, cache: Any, directory: str) -> None:
        vars(cache)[_ATTRIBUTE] = directory


def _in_use(cache: Any) -> tuple[FileSpace | None, Section | None]:
    space: FileSpace | None = vars(cache).get(_SPACE)
    return space, None if space is None else space.current()


def _naming(key_to_file: Callable[..., str]) -> Callable[..., str]:
    @functools.wraps(key_to_file)
    def name_in_section(cache: Any, *args: Any, **kwargs: Any) -> str:
        path = key_to_file(cache, *args, **kwargs)
        space, section = _in_use(cache)
        if space is not None and section is not None:
            caller = sys._getframe(1)  # noqa: SLF001
            operation = caller.f_code.co_name
            use = _USES.get(operation, Use.STORING)
            if caller.f_globals.get("__name__") != FileBasedCache.__module__:
                # Whoever asks for a path is going to use it: the directory that Django
                # makes when a cache is opened must be there.
                cache._createdir()  # noqa: SLF001
            space.touch(section, os.path.basename(path), use)  # noqa: PTH119
        return path

    return name_in_section


def _listing(list_cache_files: Callable[..., list[str]]) -> Callable[..., list[str]]:
    @functools.wraps(list_cache_files)
    def list_all(cache: Any) -> list[str]:
        space, _ = _in_use(cache)
        if space is not None:
            space.copy_all()
        return list_cache_files(cache)

    return list_all


def _clearing(clear: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(clear)
    def clear_section(cache: Any) -> None:
        space, section = _in_use(cache)
        if space is not None and section is not None:
            # What is being copied just now must not come after it.
            with space.frames.lock:
                space.note_clearing(section)
                section.is_cut = True
        clear(cache)

    return clear_section


def _culling(cull: Callable[..., None]) -> Callable[..., None]:
    """Look only where there may be too many: all of them must be brought over."""

    @functools.wraps(cull)
    def cull_section(cache: Any) -> None:
        space, section = _in_use(cache)
        most = cache._max_entries  # noqa: SLF001
        if space is None or section is None or space.count() >= most:
            cull(cache)

    return cull_section


_WRAPPINGS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "_key_to_file": _naming,
        "_list_cache_files": _listing,
        "_cull": _culling,
        "clear": _clearing,
    }
)
