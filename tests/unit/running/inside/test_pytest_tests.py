"""The kinds into which pytest-django sorts items."""

import sys
from types import SimpleNamespace

import pytest

from ci_cache_isolation.running.inside.pytest_tests import _ranks


class Item:
    def __init__(self, kind):
        self.kind = kind


@pytest.fixture
def django_plugin(monkeypatch):
    """It sorts by kind and keeps the sequence in each, as the real one does."""

    def sort(items):
        items.sort(key=lambda item: item.kind)

    plugin = SimpleNamespace(pytest_collection_modifyitems=sort)
    monkeypatch.setitem(sys.modules, "pytest_django.plugin", plugin)


def ranks(kinds):
    items = [Item(kind) for kind in kinds]
    found = _ranks(items)
    return [found[id(item)] for item in items]


@pytest.mark.usefixtures("django_plugin")
@pytest.mark.parametrize(
    ("kinds", "expected"),
    [([0, 0, 1, 2, 2], [0, 0, 1, 2, 2]), ([1, 1, 3], [0, 0, 1]), ([2], [0])],
)
def test_items_of_a_kind_have_one_rank_and_ranks_rise(kinds, expected):
    assert ranks(kinds) == expected


@pytest.mark.usefixtures("django_plugin")
def test_where_somebody_sorted_them_once_more_there_is_one_kind():
    assert ranks([0, 1, 0, 1, 2, 0]) == [0] * 6


def test_without_the_plugin_there_is_one_kind(monkeypatch):
    monkeypatch.delitem(sys.modules, "pytest_django.plugin", raising=False)
    assert ranks([0, 1, 2]) == [0] * 3
