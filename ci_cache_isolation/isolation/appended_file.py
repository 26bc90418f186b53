"""A file that is appended to, without a system call for each line where that can be.

A write costs 3 to 6 µs, more than all else that is done for a key. Memory that is
mapped to the file is the kernel's business as well, whatever becomes of the process.
"""

from __future__ import annotations

import mmap
import os
from contextlib import suppress
from pathlib import Path

from ci_cache_isolation.isolation.process import new_lock

__all__ = ["AppendedFile"]

_CAN_RESERVE = hasattr(os, "posix_fallocate")
_PIECE = 1 << 16


class AppendedFile:
    """A new file of mode 0600. Behind what was appended it holds zero bytes.

    ``OSError`` where it can't be written, a full disk included: blocks are reserved
    before memory is mapped to them, as nobody survives a write to those that are not
    there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        self._lock = new_lock(self, "_lock")
        self._mapped: mmap.mmap | None = None
        self._capacity = 0
        self.length = 0

    @classmethod
    def begun(cls, path: Path, data: bytes) -> AppendedFile:
        """Return a new file that holds something; none is left if that can't be."""
        made = cls(path)
        try:
            made.append(data)
        except OSError:
            made.close()
            path.unlink(missing_ok=True)
            raise
        return made

    def append(self, data: bytes) -> None:
        """Put bytes behind all others."""
        with self._lock:
            end = self.length + len(data)
            if end > self._capacity:
                self._grow(end)
            if self._mapped is None:
                os.pwrite(self._descriptor, data, self.length)
            else:
                self._mapped[self.length : end] = data
            self.length = end

    def keep(self, length: int, lines: bytes) -> None:
        """Remove what comes after so many bytes, but for these lines.

        Whenever the process is killed, they are there.
        """
        with self._lock:
            end = length + len(lines)
            found = os.pread(self._descriptor, len(lines), length)
            # Those that stay are often older than all others, in whatever sequence.
            if sorted(found.split(b"\n")) == sorted(lines.split(b"\n")):
                self._cut(end)
            else:
                self._replace(os.pread(self._descriptor, length, 0) + lines)

    def _cut(self, length: int) -> None:
        if self._mapped is None:
            os.ftruncate(self._descriptor, length)
        else:
            self._mapped[length : self.length] = bytes(self.length - length)
        self.length = length

    def _replace(self, data: bytes) -> None:
        begun = AppendedFile.begun(self._path.with_suffix(".new"), data)
        try:
            begun._path.replace(self._path)  # noqa: SLF001 - one of these, too
        except OSError:
            begun.close()
            raise
        self.close()
        self._descriptor, self._mapped = begun._descriptor, begun._mapped  # noqa: SLF001
        self._capacity, self.length = begun._capacity, begun.length  # noqa: SLF001

    def trim(self) -> None:
        """Give back what is reserved and not used: nothing more is appended."""
        with suppress(OSError):
            os.ftruncate(self._descriptor, self.length)

    def close(self) -> None:
        """Let it go; in a forked child the parent's goes on."""
        if self._mapped is not None:
            self._mapped.close()
        os.close(self._descriptor)

    def _grow(self, needed: int) -> None:
        if not _CAN_RESERVE:  # pragma: no cover - macOS
            return
        capacity = max(_PIECE, 2 * self._capacity, needed)
        os.posix_fallocate(self._descriptor, 0, capacity)
        if self._mapped is not None:
            self._mapped.close()
        self._mapped = mmap.mmap(self._descriptor, capacity)
        self._capacity = capacity
