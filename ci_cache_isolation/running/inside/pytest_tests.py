"""pytest's items, described: ids, modules and classes, kinds that are kept in sequence.

pytest-django sorts items by a function of its own, which nobody else can call. So it is
given them turned round: a sort that is stable turns each kind round in its place, and
that shows where one ends.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import pytest

from ci_cache_isolation.running.suite import SuiteTest

__all__ = ["beside", "described"]

_KINDS = 3


def described(items: Sequence[pytest.Item]) -> list[SuiteTest]:
    """Return what is to be known of items that were collected and sorted."""
    ranks = _ranks(items)
    return [SuiteTest(item.nodeid, _groups(item), ranks[id(item)]) for item in items]


def beside(item: pytest.Item) -> pytest.Item:
    """Return an item that shares all but itself with one that is run twice in a row.

    pytest would not tear down what comes next.
    """
    assert item.parent is not None
    return pytest.Function.from_parent(item.parent, name="again", callobj=lambda: None)


def _groups(item: pytest.Item) -> tuple[str, ...]:
    return tuple(
        node.nodeid
        for node in item.listchain()
        if isinstance(node, (pytest.File, pytest.Class))
    )


def _ranks(items: Sequence[pytest.Item]) -> dict[int, int]:
    """Return the kind of each item, by its identity."""
    plugin = sys.modules.get("pytest_django.plugin")
    if plugin is None:
        return dict.fromkeys(map(id, items), 0)
    turned = list(items[::-1])
    plugin.pytest_collection_modifyitems(items=turned)
    places = {id(item): place for place, item in enumerate(turned)}
    ranks: dict[int, int] = {}
    rank, before = -1, None
    for place, item in enumerate(items):
        # The same for all of a kind: one place grows as the other falls.
        both = place + places[id(item)]
        if both != before:
            rank, before = rank + 1, both
        ranks[id(item)] = rank
    if rank >= _KINDS:
        # Somebody sorted them once more.
        return dict.fromkeys(ranks, 0)
    return ranks
