"""What this process has stored on servers that outlive it, recorded on disk.

A process that is killed can't tidy up. So every process keeps a directory with the
names of what it has stored and not yet deleted, in one file for each space, and holds a
lock as long as it lives. Whoever can share that lock knows that the process is dead,
and what it left: the next run, or ``cache-isolation purge``. Names are exact, so
nothing has to be searched for, and nothing else can be deleted by mistake.

What is appended is the kernel's business at once, whatever becomes of the process.
Directories are 0700 and files 0600, as names may be secret; values are never written.

A file of a dead process is taken over by renaming it, under a lock of its own: each
name is recorded once, whoever is killed meanwhile, however often a server refuses.
One that looks must hide no other file from the rest: workers begin at the same moment.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from ci_cache_isolation.isolation import notices
from ci_cache_isolation.isolation.appended_file import AppendedFile
from ci_cache_isolation.isolation.process import (
    TOKEN_LENGTH,
    new_lock,
    process_token,
)

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows
    _CAN_LOCK = False
else:
    _CAN_LOCK = True

__all__ = [
    "DIRECTORY_VARIABLE",
    "JOURNAL",
    "About",
    "Dead",
    "Journal",
    "dead",
    "directory",
    "stored_in",
]

DIRECTORY_VARIABLE = "CI_CACHE_ISOLATION_JOURNALS"
_LOCK = "alive"
_SUFFIX = ".names"
_NOT_NOTED = (
    "What tests store in shared caches can't be noted on disk: {error}. If this run is "
    "killed, nobody deletes what it leaves there. Let {variable} name a directory that "
    "only you can enter, or one that does not exist yet."
)
_STALE = 3600
"""Seconds after which a directory that was not moved to its name is nobody's."""


@dataclass(frozen=True, slots=True)
class About:
    """Where names are stored, as far as people may know."""

    fingerprint: str
    alias: str
    kind: str
    location: str


@dataclass(frozen=True, slots=True)
class Dead:
    """What a dead process left in one space."""

    about: About
    names: list[str]
    path: Path

    def forget(self) -> None:
        """Strike it out: it has been deleted, or there is nobody to ask any more."""
        with suppress(OSError):
            self.path.unlink()
        if self.path.parent.name != process_token():
            _remove_if_empty(self.path.parent)


class Journal:
    """The names that this process has stored. Writing fails nobody's test."""

    def __init__(self) -> None:
        self._path: Path | None = None
        self._lock: int | None = None
        # Each with the length of its header.
        self._files: dict[str, tuple[AppendedFile, int]] = {}
        self._opening = new_lock(self, "_opening")
        self._is_broken = not _CAN_LOCK
        self.is_read_by_others = False
        # Whether the process that this one was forked from deletes what others left.
        self.leaves_the_dead = False

    def note(self, about: About, name: str) -> None:
        """Record that something is about to be stored under a name."""
        if self._is_broken:
            return
        try:
            file = self._files.get(about.fingerprint) or self._opened(about)
            file[0].append(_line(name))
        except OSError as error:
            # Tidying up works without it; only a killed run would leave something.
            self._is_broken = True
            notices.note(_NOT_NOTED.format(error=error, variable=DIRECTORY_VARIABLE))

    def keep(self, fingerprint: str, names: Iterable[str]) -> None:
        """Strike out all names of a space but these."""
        file = self._files.get(fingerprint)
        if file is None or self._is_broken:
            return
        appended, header = file
        try:
            appended.keep(header, b"".join(map(_line, names)))
        except OSError:
            self._is_broken = True

    def take(self, left: Dead) -> Dead | None:
        """Take over what a dead process left; None where that can't be done.

        For whoever `dead` yields it to, as it holds the file's lock meanwhile.
        """
        if self._is_broken:
            return None
        # One that its process had taken over keeps the name of whose it was.
        fingerprint, *origin = left.path.name.removesuffix(_SUFFIX).split(".")
        owner = origin[0] if origin else left.path.parent.name
        try:
            with self._opening:
                path = self._path or self._directory()
            taken = path / f"{fingerprint}.{owner}{_SUFFIX}"
            left.path.rename(taken)
        except OSError:
            return None
        return replace(left, path=taken)

    def close(self) -> None:
        """Strike out everything: nothing is left."""
        self.abandon()
        if self._path is not None:
            shutil.rmtree(self._path, ignore_errors=True)
            self._path = None

    def hold(self) -> None:
        """Be seen to live, for those who work in sections of this process."""
        if self._is_broken or self._path is not None:
            return
        try:
            with self._opening:
                self._directory()
        except OSError:
            self._is_broken = True

    def leave(self) -> None:
        """Let the lock go, so that others delete what is still recorded."""
        for file, _ in self._files.values():
            file.trim()
        self.abandon()
        self._path = None

    def abandon(self) -> None:
        """Close the files, as in a forked child, whose parent still uses them."""
        for file, _ in self._files.values():
            file.close()
        self._files.clear()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def after_fork(self) -> None:
        """Begin anew: what is open here is the parent's."""
        self.abandon()
        self._path = None
        self._is_broken = not _CAN_LOCK
        self.is_read_by_others = False

    def _opened(self, about: About) -> tuple[AppendedFile, int]:
        with self._opening:
            return self._files.get(about.fingerprint) or self._open(about)

    def _open(self, about: About) -> tuple[AppendedFile, int]:
        path = self._path or self._directory()
        header = json.dumps(
            [about.fingerprint, about.alias, about.kind, about.location]
        ).encode()
        appended = AppendedFile.begun(
            path / f"{about.fingerprint}{_SUFFIX}", header + b"\n"
        )
        file = appended, appended.length
        self._files[about.fingerprint] = file
        return file

    def _directory(self) -> Path:
        # Made under another name and moved, so that it never stands there unlocked.
        parent = directory()
        path = parent / process_token()
        made = Path(tempfile.mkdtemp(prefix=".", dir=parent))
        lock = None
        try:
            lock = os.open(made / _LOCK, os.O_WRONLY | os.O_CREAT, 0o600)
            fcntl.flock(lock, fcntl.LOCK_EX)
            made.rename(path)
        except OSError:
            if lock is not None:
                os.close(lock)
            shutil.rmtree(made, ignore_errors=True)
            raise
        self._path, self._lock = path, lock
        return path


JOURNAL = Journal()
"""That of this process."""


def directory() -> Path:
    """Return the directory of all journals of this user, made if need be.

    ``PermissionError`` where it is not this user's alone, ``OSError`` where it can't be
    made: names that others wrote there would be deleted.
    """
    user = getattr(os, "getuid", lambda: "user")()
    if chosen := os.environ.get(DIRECTORY_VARIABLE):
        path = Path(chosen)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    else:
        path = Path(tempfile.gettempdir()) / f"ci-cache-isolation-{user}"
    path.mkdir(mode=0o700, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != user or found.st_mode & 0o077:
        raise PermissionError(f"{path} is not a directory of this user's alone")
    return path


def dead(fingerprint: str | None = None, *, in_ours: bool = False) -> Iterator[Dead]:
    """Yield what dead processes left, in one space or in all.

    Each is yielded under a lock of its own: nobody else is given it meanwhile. With
    ``in_ours`` also in sections of this process, which nobody is to join any more.
    """
    if not _CAN_LOCK:  # pragma: no cover - Windows
        return
    try:
        found = directory()
        _remove_stale(found)
        # One whose name begins with a dot is being made just now.
        processes = sorted(found.glob("[!.]*"))
    except OSError:
        return
    for process in processes:
        if process.name == process_token():
            continue
        ours = {process.name, process_token()} if in_ours else {process.name}
        # A living one does not share it.
        with _locked(process / _LOCK, is_shared=True) as locked:
            if locked is not None:
                yield from _left_in(process, fingerprint, ours)
                _remove_if_empty(process)


def _left_in(process: Path, fingerprint: str | None, ours: set[str]) -> Iterator[Dead]:
    for path in sorted(process.glob(f"*{_SUFFIX}")):
        if fingerprint in {None, path.name.partition(".")[0]}:
            with _held(path) as is_held:
                left = _read(path) if is_held else None
                if left is None:
                    continue
                if not left.names:
                    left.forget()
                elif not _is_used(left, ours):
                    yield left


def stored_in(fingerprint: str, section: str) -> list[str]:
    """Return what all processes together have stored in one section of a space."""
    try:
        files = list(directory().glob(f"[!.]*/{fingerprint}.*{_SUFFIX[1:]}"))
    except OSError:
        return []
    found = [left for left in map(_read, files) if left is not None]
    return [name for left in found for name in left.names if name.startswith(section)]


def _is_used(left: Dead, tokens: set[str]) -> bool:
    """Return whether a process joined sections of another one, which still lives."""
    owners = {name[:TOKEN_LENGTH] for name in left.names} - tokens
    return any(_lives(owner) for owner in owners if owner.isalnum())


def _lives(token: str) -> bool:
    process = directory() / token
    if not (process / _LOCK).exists():
        return False
    with _locked(process / _LOCK, is_shared=True) as locked:
        return locked is None


@contextmanager
def _held(path: Path) -> Iterator[bool]:
    """Hold a dead process's file; False where somebody else does or has moved it."""
    with _locked(path) as locked:
        yield locked is not None and _inode(path) == os.fstat(locked).st_ino


def _inode(path: Path) -> int | None:
    with suppress(OSError):
        return path.stat().st_ino
    return None


@contextmanager
def _locked(path: Path, *, is_shared: bool = False) -> Iterator[int | None]:
    """Lock a file, and yield its descriptor; None where that can't be done at once."""
    try:
        # Some network's disks want both for either kind of lock.
        opened = os.open(path, os.O_RDWR)
    except OSError:
        yield None
        return
    try:
        try:
            kind = fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX
            fcntl.flock(opened, kind | fcntl.LOCK_NB)
        except OSError:
            yield None
        else:
            yield opened
    finally:
        os.close(opened)


def _remove_if_empty(process: Path) -> None:
    """Remove the directory of a dead process that has left nothing."""
    for path in process.glob(f"*{_SUFFIX}"):
        if not _is_blank(path):
            return
    shutil.rmtree(process, ignore_errors=True)


def _is_blank(path: Path) -> bool:
    """Return whether a process was killed before it had recorded anything."""
    try:
        with path.open("rb") as file:
            return file.read(1) in {b"", b"\0"}
    except OSError:
        return False


def _remove_stale(parent: Path) -> None:
    """Remove what a process was making when it was killed.

    The disk's clock is asked: the process's may be frozen by a test.
    """
    now = parent.stat().st_mtime
    for made in parent.glob(".*"):
        with suppress(OSError):
            if made.lstat().st_mtime < now - _STALE:
                shutil.rmtree(made, ignore_errors=True)


def _read(path: Path) -> Dead | None:
    try:
        header, *lines = path.read_bytes().split(b"\n")
        about = About(*json.loads(header))
    except (OSError, ValueError, TypeError):
        return None
    # What comes after the last line's end was cut off in the middle.
    names = [_name(line) for line in lines[:-1]]
    return Dead(about, names, path)


def _line(name: str) -> bytes:
    if "\n" in name or "\\" in name:
        name = name.replace("\\", "\\\\").replace("\n", "\\n")
    return name.encode("utf-8", "surrogatepass") + b"\n"


def _name(line: bytes) -> str:
    text = line.decode("utf-8", "surrogatepass")
    if "\\" not in text:
        return text
    # A backslash that was doubled must not be taken for the beginning of "\n".
    return "\\".join(part.replace("\\n", "\n") for part in text.split("\\\\"))
