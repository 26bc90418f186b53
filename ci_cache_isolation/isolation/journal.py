"""What this process has stored on servers that outlive it, written down on disk.

A process that is killed can't tidy up. So every process keeps a directory with the
names of what it has stored and not yet deleted, in one file for each space, and holds a
lock as long as it lives. Whoever gets that lock knows that the process is dead, and
what it left: the next run, or ``cache-isolation purge``. Names are exact, so nothing
has to be searched for, and nothing else can be deleted by mistake.

What is appended is the kernel's business at once, whatever becomes of the process.
Directories are 0700 and files 0600, as names may be secret; values are never written.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

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
    "About",
    "Dead",
    "Journal",
    "dead",
    "directory",
    "stored_in",
]

DIRECTORY_VARIABLE = "CI_CACHE_ISOLATION_STATE"
_LOCK = "alive"
_SUFFIX = ".names"


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
        self.path.unlink(missing_ok=True)
        if not any(self.path.parent.glob(f"*{_SUFFIX}")):
            shutil.rmtree(self.path.parent, ignore_errors=True)


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

    def note(self, about: About, name: str) -> None:
        """Write down that something is about to be stored under a name."""
        if self._is_broken:
            return
        try:
            file = self._files.get(about.fingerprint) or self._opened(about)
            file[0].append(_line(name))
        except OSError:
            # Tidying up works without it; only a killed run would leave something.
            self._is_broken = True

    def keep(self, fingerprint: str, names: Iterable[str]) -> None:
        """Strike out all names of a space but these."""
        file = self._files.get(fingerprint)
        if file is None or self._is_broken:
            return
        appended, header = file
        try:
            appended.cut(header)
            appended.append(b"".join(map(_line, names)))
        except OSError:
            self._is_broken = True

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
        """Let the lock go, so that others delete what is still written down."""
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
        appended = AppendedFile(path / f"{about.fingerprint}{_SUFFIX}")
        appended.append(header + b"\n")
        file = appended, appended.length
        self._files[about.fingerprint] = file
        return file

    def _directory(self) -> Path:
        # Made under another name and moved, so that it never stands there unlocked.
        parent = directory()
        made = Path(tempfile.mkdtemp(prefix=".", dir=parent))
        lock = os.open(made / _LOCK, os.O_WRONLY | os.O_CREAT, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        path = parent / process_token()
        made.rename(path)
        self._path, self._lock = path, lock
        return path


def directory() -> Path:
    """Return the directory of all journals of this user, made if need be.

    ``OSError`` where it can't be made, or belongs to somebody else.
    """
    if chosen := os.environ.get(DIRECTORY_VARIABLE):
        path = Path(chosen)
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path
    user = getattr(os, "getuid", lambda: "user")()
    path = Path(tempfile.gettempdir()) / f"ci-cache-isolation-{user}"
    path.mkdir(mode=0o700, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != user or found.st_mode & 0o077:
        raise PermissionError(f"{path} is not a directory of this user's alone")
    return path


def dead(fingerprint: str | None = None, *, in_ours: bool = False) -> Iterator[Dead]:
    """Yield what dead processes left, in one space or in all.

    With ``in_ours`` also in sections of this process, which nobody is to join any more.
    """
    if not _CAN_LOCK:  # pragma: no cover - Windows
        return
    try:
        # One whose name begins with a dot is being made just now.
        processes = sorted(directory().glob("[!.]*"))
    except OSError:
        return
    for process in processes:
        if process.name == process_token() or not _is_dead(process):
            continue
        files = list(process.glob(f"*{_SUFFIX}"))
        if not files:
            shutil.rmtree(process, ignore_errors=True)
        for path in files:
            if fingerprint in {None, path.name.removesuffix(_SUFFIX)}:
                left = _read(path)
                ours = {process.name, process_token()} if in_ours else {process.name}
                if left is not None and not _is_used(left, ours):
                    yield left


def stored_in(fingerprint: str, section: str) -> list[str]:
    """Return what all processes together have stored in one section of a space."""
    try:
        files = list(directory().glob(f"[!.]*/{fingerprint}{_SUFFIX}"))
    except OSError:
        return []
    found = [left for left in map(_read, files) if left is not None]
    return [name for left in found for name in left.names if name.startswith(section)]


def _is_used(left: Dead, tokens: set[str]) -> bool:
    """Tell whether a process joined sections of another one, which still lives."""
    owners = {name[:TOKEN_LENGTH] for name in left.names} - tokens
    return any(
        (left.path.parent.with_name(owner) / _LOCK).exists()
        and not _is_dead(left.path.parent.with_name(owner))
        for owner in owners
        if owner.isalnum()
    )


def _is_dead(process: Path) -> bool:
    try:
        lock = os.open(process / _LOCK, os.O_WRONLY)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(lock)
    return True


def _read(path: Path) -> Dead | None:
    try:
        header, *lines = path.read_bytes().split(b"\n")
        about = About(*json.loads(header))
    except (OSError, ValueError, TypeError):
        return None
    # What stands behind the last line's end was cut off in the middle.
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
