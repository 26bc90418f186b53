"""Files that only this user can read, whatever the umask, and that no link leads away.

Names, keys and messages of failures are in them. A place where somebody else has put a
link is no place to write to.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import IO

__all__ = ["appended", "made", "opened", "written"]

_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_FILE, _FOLDER = 0o600, 0o700


def opened(path: Path) -> IO[bytes]:
    """Open a file to be written anew. ``OSError`` where a link is in its place."""
    return os.fdopen(_descriptor(path, os.O_TRUNC), "wb")


def appended(path: Path) -> IO[str]:
    """Open a file to be added to, each line written when it is whole."""
    return os.fdopen(_descriptor(path, os.O_APPEND), "a", 1, "utf-8")


def written(path: Path, text: str) -> None:
    """Write a file, whole or not at all, for whoever reads it meanwhile.

    A link in its place is replaced. What UTF-8 can't say is escaped.
    """
    partial = path.with_name(f"{path.name}.partial")
    # Also a link.
    partial.unlink(missing_ok=True)
    with os.fdopen(_descriptor(partial, os.O_EXCL), "wb") as file:
        file.write(text.encode("utf-8", "backslashreplace"))
    partial.replace(path)


def made(folder: Path, *, is_ours: bool = True) -> None:
    """Make a folder. ``OSError`` where a file is in its place.

    One that is there already is closed to others if ``is_ours``, and is no link.
    """
    try:
        folder.mkdir(mode=_FOLDER)
    except FileExistsError:
        # A folder of the user's own may be a link to another one.
        if not folder.is_dir() or (is_ours and folder.is_symlink()):
            raise
        if not is_ours:
            return
    with suppress(PermissionError):
        folder.chmod(_FOLDER)


def _descriptor(path: Path, how: int) -> int:
    flags = os.O_WRONLY | os.O_CREAT | _NO_LINK | how
    descriptor = os.open(path, flags, _FILE)
    with suppress(OSError, AttributeError):
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.fchmod(descriptor, _FILE)
    return descriptor
