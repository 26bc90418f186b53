"""The order that this process was asked to run, and what it shares with other runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TypeVar

from django.conf import settings
from django.db import connections
from django.utils.module_loading import import_string

from ci_cache_isolation.isolation import switch
from ci_cache_isolation.isolation.stores import NONE, is_shared, name_for
from ci_cache_isolation.running.events import ORDER_VARIABLE
from ci_cache_isolation.running.order_file import OrderFile, arranged

__all__ = [
    "exactly",
    "imposed_order",
    "in_order",
    "settings_module",
    "shared_between_runs",
]

T = TypeVar("T")


@cache
def imposed_order() -> OrderFile | None:
    """Return the order file that this process was given."""
    path = os.environ.get(ORDER_VARIABLE)
    return OrderFile.read(Path(path)) if path else None


def in_order(tests: Sequence[T], name: Callable[[T], str]) -> list[T]:
    """Return the tests as the order file puts them; as they are without one."""
    imposed = imposed_order()
    if imposed is None or not imposed.order:
        return list(tests)
    names = [name(test) for test in tests]
    return [tests[place] for place in arranged(names, imposed.order)]


def exactly(
    tests: Sequence[T], name: Callable[[T], str], again: Callable[[T], Iterable[T]]
) -> list[T] | None:
    """Return the tests that an exact order names, and no others; None without one.

    ``again`` makes of a test what runs it once more.
    """
    imposed = imposed_order()
    if imposed is None or not imposed.is_exact:
        return None
    known = {name(test): test for test in tests}
    named = [known[test] for test in imposed.order if test in known]
    taken: set[int] = set()
    ordered: list[T] = []
    for test in named:
        ordered += again(test) if id(test) in taken else [test]
        taken.add(id(test))
    return ordered


def settings_module() -> str:
    """Return the dotted name of the settings in use, empty if there is no module."""
    return str(getattr(settings, "SETTINGS_MODULE", "") or "")


def shared_between_runs() -> Iterator[str]:
    """Yield the databases and caches that two runs at once would fight over."""
    for alias in connections:
        connection = connections[alias]
        creation = connection.creation
        if connection.vendor == "sqlite" and creation.is_in_memory_db(  # type: ignore[attr-defined]
            creation._get_test_db_name()  # type: ignore[attr-defined]  # noqa: SLF001
        ):
            continue
        yield f"database {alias!r} ({connection.vendor})"
    for alias, configured in settings.CACHES.items():
        backend = configured.get("BACKEND", "")
        try:
            is_private = _is_private(alias, import_string(backend))
        except ImportError:
            is_private = False
        if not is_private:
            yield f"cache {alias!r} ({backend.rpartition('.')[2]})"


def _is_private(alias: str, backend: type) -> bool:
    """Return whether no other process sees what this one stores."""
    if switch.is_installed():
        name, choice = switch.store_for(alias, backend)
        return name is not None and (choice is None or choice.value != NONE)
    return not is_shared(name_for(backend))
