"""What a visit to an outer scope has changed, and not only tried to.

An operation may change nothing: one that counts up, or renews, what is not there. So
what a name holds is looked up before and after, where that makes a difference:
in some scope that was set aside there is an entry of that name as well.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ci_cache_isolation.isolation.process import next_number

__all__ = ["settle", "standing", "watch"]


def watch(space: Any, section: Any, name: str, *, renews: bool) -> None:
    """Take note that a name may be about to change.

    What ``renews`` an entry succeeds if there is one, and need not change what is seen:
    the time until which it lives may be rounded, or the same.
    """
    if section.changed is None or name in section.changed or name in section.watched:
        return
    if _is_used_inside(space, name):
        before = _state(space, section, name)
        empty = type(section)(section.frame, next_number())
        if renews and before != _state(space, empty, name):
            section.changed.add(name)
        else:
            section.watched[name] = before


def settle(space: Any, section: Any) -> None:
    """Find what has changed of that which may have."""
    watched, section.watched = section.watched, {}
    for name, before in watched.items():
        if section.changed is not None and before != _state(space, section, name):
            section.changed.add(name)


def standing(space: Any, sections: Iterable[Any], empty: Any) -> set[str]:
    """Return the names under which something is stored that is about to be cleared.

    ``sections`` are those that are seen, the nearest first; nothing is in ``empty``.
    """
    found: dict[str, bool] = {}
    for section in sections:
        for name, is_stored in section.touched.copy().items():
            if name not in found:
                found[name] = is_stored and (
                    not _is_used_inside(space, name)
                    or _state(space, section, name) != _state(space, empty, name)
                )
    return {name for name, stands in found.items() if stands}


def _is_used_inside(space: Any, name: str) -> bool:
    inner = [frame for visit in space.frames.visits for frame in visit.inner]
    seeing = [frame.sections[space] for frame in inner if space in frame.sections]
    return any(each.is_cut or name in each.touched for each in seeing)


def _state(space: Any, section: Any, name: str) -> object:
    try:
        return space.state(section, name)
    except Exception:  # noqa: BLE001 - then it counts as changed
        return object()
