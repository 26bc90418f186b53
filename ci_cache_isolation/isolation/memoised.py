"""The project's memoised functions: which there are, and how all of them forget.

Those of ``functools.lru_cache`` and ``cache``. What Django remembers in the same way,
of content types and of sites, is known by the modules that do it.
"""

from __future__ import annotations

import functools
import gc
import inspect
import sys
import weakref
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from ci_cache_isolation.isolation import notices
from ci_cache_isolation.state.own_files import is_own_file

__all__ = [
    "CONTENT_TYPES",
    "MEMOISED",
    "OF_CONTENT_TYPES",
    "OF_SITES",
    "SITES",
    "Memoised",
    "MemoisedFunctions",
]

CONTENT_TYPES = "django.contrib.contenttypes.models"
SITES = "django.contrib.sites.models"
OF_CONTENT_TYPES = "the ContentType cache"
OF_SITES = "SITE_CACHE"
_OF_DJANGO = (
    (CONTENT_TYPES, "ContentType", OF_CONTENT_TYPES),
    (SITES, "Site", OF_SITES),
)
KIND: Any = type(functools.lru_cache(lambda: None))
_NOT_RESET = (
    "Memoised functions could not be reset after a test: {error}. Tests may meet what "
    "others had them remember."
)


class Memoised(NamedTuple):
    """A memoised function that is alive as long as somebody else holds it."""

    function: Callable[[], Any]
    """Returns it; None when it is gone."""
    name: str
    """``module.qualname``."""
    file: str
    line: int


class MemoisedFunctions:
    """What the project's functions remember in this process."""

    def __init__(self) -> None:
        self.found: list[Memoised] = []
        """All that `find` has found, in the sequence in which it did."""
        self._modules: frozenset[str] = frozenset()
        self.resets = 0
        """How often all of them have forgotten."""
        self.is_resetting = False

    def find(self) -> None:
        """Look for more of them, where a module of the project is new.

        One that a test makes for itself is not looked for: it goes with the test.
        """
        if len(sys.modules) == len(self._modules):
            return
        before, self._modules = self._modules, frozenset(list(sys.modules))
        if before and not any(map(_is_own_module, self._modules - before)):
            return
        known = {id(each.function()) for each in self.found}
        self.found += [each for each in _alive() if id(each.function()) not in known]

    def forget(self, name: str) -> None:
        """Have all functions of a name forget, or Django, what goes by that name."""
        for each in self.found:
            function = each.function() if each.name == name else None
            if function is not None:
                KIND.cache_clear(function)
        for module, model_name, known_as in _OF_DJANGO:
            if known_as == name:
                self._clear(module, model_name)

    @staticmethod
    def _clear(module: str, name: str) -> None:
        model = getattr(sys.modules.get(module), name, None)
        if model is not None:
            model.objects.clear_cache()

    def reset(self) -> None:
        """Have all of them forget. It fails nobody's test."""
        self.is_resetting = True
        try:
            self.find()
            for each in self.found:
                function = each.function()
                if function is not None:
                    KIND.cache_clear(function)
            for module, name, _ in _OF_DJANGO:
                self._clear(module, name)
        except Exception as error:  # noqa: BLE001 - the tests are not to blame
            notices.note(_NOT_RESET.format(error=f"{type(error).__name__}: {error}"))
        finally:
            self.is_resetting = False
            self.resets += 1


MEMOISED = MemoisedFunctions()


def _alive() -> Iterator[Memoised]:
    # An object refers to its class, and to look for that is faster than to go through
    # the million objects of a project.
    for found in gc.get_referrers(KIND):
        if type(found) is KIND:
            memoised = _about(found)
            if memoised is not None:
                yield memoised


def _about(function: Any) -> Memoised | None:
    """Return what is known of a function, None if it is none of the project's."""
    try:
        # Decorators may stand in between, from anywhere.
        code = getattr(inspect.unwrap(function), "__code__", None)
        name = f"{function.__module__}.{function.__qualname__}"
        module = sys.modules.get(function.__module__)
        keeps = KIND.cache_info(function).maxsize != 0
    except (AttributeError, TypeError, ValueError):
        return None
    file = getattr(code, "co_filename", None) or getattr(module, "__file__", None)
    if not keeps or not file or not is_own_file(str(file)):
        return None
    line = getattr(code, "co_firstlineno", 0)
    return Memoised(weakref.ref(function), name, str(file), line)


def _is_own_module(name: str) -> bool:
    file = getattr(sys.modules.get(name), "__file__", None)
    return isinstance(file, str) and is_own_file(file)
