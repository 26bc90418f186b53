"""Which source files are the project's own: neither installed nor made up."""

from __future__ import annotations

import functools
import site
import sysconfig
from pathlib import Path

import django

__all__ = ["is_own_file"]

_INSTALLED_IN = {"site-packages", "dist-packages"}


@functools.cache
def _installed() -> tuple[Path, ...]:
    """Return the folders of what others have written."""
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    paths = [sysconfig.get_paths()[name] for name in names]
    paths += [*site.getsitepackages(), site.getusersitepackages()]
    paths += [str(Path(django.__file__).parent), str(Path(__file__).parents[1])]
    return tuple({Path(each).resolve() for each in paths})


@functools.cache
def is_own_file(file: str) -> bool:
    """Return whether a source file is the project's: neither installed nor made up."""
    if file.startswith("<"):
        return False
    path = Path(file)
    return _INSTALLED_IN.isdisjoint(path.parts) and _is_own_folder(str(path.parent))


@functools.cache
def _is_own_folder(folder: str) -> bool:
    path = Path(folder).resolve()
    return not any(each in _installed() for each in (path, *path.parents))
