"""Where a project's tests are run, seen from a folder above or below it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

__all__ = ["nearby"]

_ABOVE = 4
_PASSED_OVER = {"node_modules", "site-packages", "venv", "build", "dist"}


def nearby(folder: Path, fits: Callable[[Path], bool]) -> Path | None:
    """Return the nearest folder that fits: above it within its repository, or below.

    Above come first, as the wrong folder is most often one of the project's own.
    """
    return next(filter(fits, (*_above(folder), *_below(folder))), None)


def _above(folder: Path) -> Iterator[Path]:
    for parent in [folder, *folder.parents][:_ABOVE]:
        if parent != folder:
            yield parent
        # A repository ends the search; so does what belongs to more than one.
        if (parent / ".git").exists() or parent.parent in {Path.home(), parent}:
            return


def _below(folder: Path) -> Iterator[Path]:
    children = list(_folders(folder))
    yield from children
    for child in children:
        yield from _folders(child)


def _folders(folder: Path) -> Iterator[Path]:
    with suppress(OSError):
        for child in sorted(folder.iterdir()):
            is_hidden = child.name.startswith((".", "__"))
            if not is_hidden and child.name not in _PASSED_OVER and child.is_dir():
                yield child
