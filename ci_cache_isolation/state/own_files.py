"""Which source files are the project's own: neither installed nor made up."""

from __future__ import annotations

import functools
import site
import sysconfig
import types
from pathlib import Path
from typing import Any

import django

from ci_cache_isolation.state.comparing import is_a, module_vars

__all__ = ["is_own_file", "is_own_module"]

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


def is_own_module(module: Any) -> bool:
    """Return whether something is a module, and its source file the project's."""
    if not is_a(module, types.ModuleType):
        return False
    file = module_vars(module).get("__file__")
    return type(file) is str and is_own_file(file)
