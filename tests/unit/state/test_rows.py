"""Rows of tables: read and put back past what forbids or counts queries."""

import pytest
from django.contrib.auth.models import Group, Permission

from ci_cache_isolation.state.comparing import MISSING
from ci_cache_isolation.state.look import Look
from ci_cache_isolation.state.names import Names
from ci_cache_isolation.state.rows import TABLES, Tables
from ci_cache_isolation.state.where import Where


@pytest.fixture
def own(monkeypatch):
    """Say that the database is one that was made for tests."""
    monkeypatch.setitem(TABLES, "default", None)


def changes(look):
    names = Names(look)
    return {names.of(each).text: each for each in look.changes()}


def test_rows_that_were_added_or_deleted_are_told_and_put_back(
    db, own, django_db_blocker, django_assert_num_queries
):
    Group.objects.create(name="kept", pk=1)
    look = Look(Where.ROWS)
    assert changes(look) == {}
    Group.objects.all().delete()
    Group.objects.create(name="new", pk=2)
    before = list(Permission.objects.values_list())
    with django_assert_num_queries(0), django_db_blocker.block():
        found = changes(look)
        assert list(found) == ["rows of auth_group"]
        change = found["rows of auth_group"]
        assert (len(change.before), len(change.after)) == (1, 1)
        look.put_back([change.mark])
        assert changes(look) == {}
    assert list(Group.objects.values_list()) == [(1, "kept")]
    assert list(Permission.objects.values_list()) == before


@pytest.mark.parametrize("most", [2, 3])
def test_a_table_with_very_many_rows_is_left_alone(db, own, monkeypatch, most):
    monkeypatch.setattr("ci_cache_isolation.state.rows._MOST", most)
    Group.objects.create(name="first")
    Group.objects.create(name="second")
    look = Look(Where.ROWS)
    Group.objects.create(name="third")
    assert list(changes(look)) == ["rows of auth_group"]
    [change] = look.changes()
    assert change.how == ("removed" if most == 2 else "changed")


def test_a_database_that_was_not_made_for_tests_is_neither_read_nor_written(
    db,
):
    Group.objects.create(name="theirs")
    tables = Tables()
    assert tables.read(TABLES) == ((), ())
    assert tables.get(TABLES, "auth_group") is MISSING
    tables.put(TABLES, "auth_group", ())
    look = Look(Where.ROWS)
    look.put_back([(0, "'auth_group'"), (0, None)])
    assert [each.name for each in Group.objects.all()] == ["theirs"]
