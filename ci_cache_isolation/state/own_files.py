"""Which source files are the project's own: neither installed nor made up."""

from __future__ import annotations

import site
import sysconfig
from pathlib import Path

import django

__all__ = ["is_own_file"]

_INSTALLED_IN = {"site-packages", "dist-packages"}


def _installed() -> tuple[Path, ...]:
    """Return the folders of what others have written."""
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    paths = [sysconfig.get_paths()[name] for name in names]
    paths += [*site.getsitepackages(), site.getusersitepackages()]
    paths += [str(Path(django.__file__).parent), str(Path(__file__).parents[1])]
    return tuple({Path(each).resolve() for each in paths})


_folders: dict[str, bool] = {}
_foreign: list[tuple[Path, ...]] = []


def is_own_file(file: str) -> bool:
    """Return whether a source file is the project's: neither installed nor made up."""
    if file.startswith("<"):
        return False
    path = Path(file)
    folder = str(path.parent)
    if folder not in _folders:
        if not _foreign:
            _foreign.append(_installed())
        parents = path.resolve().parents
        _folders[folder] = _INSTALLED_IN.isdisjoint(path.parts) and not any(
            each in _foreign[0] for each in parents
        )
    return _folders[folder]
