"""What is undone when a transaction, or a part of one, is rolled back."""

import pytest
from django.db import transaction
from django.db.backends.sqlite3.base import DatabaseWrapper

from ci_cache_isolation.isolation.dialects.transactions import (
    is_in_transaction,
    on_rollback,
)


@pytest.fixture
def connection(django_db_blocker, monkeypatch, settings):
    """A database in memory that nobody else has."""
    database = settings.DATABASES["default"] | {"NAME": ":memory:"}
    with django_db_blocker.unblock():
        made = DatabaseWrapper(database, "of_test")
        made.ensure_connection()
        monkeypatch.setattr(transaction, "get_connection", lambda _: made)
        yield made
        made.connection.close()


class Undone(list):
    """Numbers that were noted and whose noting was undone."""

    def note(self, connection, number):
        on_rollback(connection, lambda: self.append(number))


@pytest.fixture
def undone():
    return Undone()


def test_outside_of_transactions_nothing_is_noted(connection, undone):
    assert not is_in_transaction(connection)
    undone.note(connection, 1)
    with transaction.atomic():
        assert is_in_transaction(connection)
        transaction.set_rollback(True)
    assert undone == []


def test_a_rollback_undoes_all_the_last_first(connection, undone):
    with transaction.atomic():
        undone.note(connection, 1)
        with transaction.atomic():
            undone.note(connection, 2)
        undone.note(connection, 3)
        transaction.set_rollback(True)
    assert undone == [3, 2, 1]


def test_a_commit_undoes_nothing_then_or_later(connection, undone):
    with transaction.atomic():
        undone.note(connection, 1)
    with transaction.atomic():
        transaction.set_rollback(True)
    assert undone == []


def test_a_savepoint_undoes_what_came_after_it(connection, undone):
    with transaction.atomic():
        undone.note(connection, 1)
        with transaction.atomic():
            undone.note(connection, 2)
            transaction.set_rollback(True)
        assert undone == [2]
        undone.note(connection, 3)
    assert undone == [2]


def test_a_savepoint_from_before_the_watch_undoes_all_that_was_noted(
    connection, undone
):
    with transaction.atomic():
        undone.note(connection, 1)
        connection.savepoint_rollback(_made_unseen(connection))
    assert undone == [1]


def _made_unseen(connection):
    with connection.cursor() as cursor:
        cursor.execute(connection.ops.savepoint_create_sql("unseen"))
    return "unseen"


def test_a_database_without_transactions_undoes_nothing(
    connection, undone, monkeypatch
):
    monkeypatch.setitem(vars(connection.features), "supports_transactions", False)  # noqa: FBT003
    with transaction.atomic():
        undone.note(connection, 1)
        transaction.set_rollback(True)
    assert undone == []


def test_methods_are_replaced_only_while_something_can_be_undone(connection, undone):
    before = dict(vars(connection))
    names = {"savepoint", "savepoint_rollback", "rollback", "close", "commit"}
    for is_rolled_back in (True, False):
        with transaction.atomic():
            assert not names & vars(connection).keys()
            undone.note(connection, 1)
            assert names <= vars(connection).keys()
            transaction.set_rollback(is_rolled_back)
        assert not names & vars(connection).keys()
    assert vars(connection).keys() == before.keys()


def test_what_others_put_in_the_place_of_a_method_stays(connection, undone):
    before = connection.commit

    def commit():
        undone.append("committed")
        before()

    with transaction.atomic():
        undone.note(connection, 1)
        connection.commit = commit
    assert connection.commit is commit
    with transaction.atomic():
        undone.note(connection, 2)
    assert connection.commit is commit
    assert undone == ["committed", "committed"]


def test_a_database_in_memory_is_not_closed(connection, undone):
    with transaction.atomic():
        undone.note(connection, 1)
        connection.close()
        assert undone == []
        transaction.set_rollback(True)
    assert undone == [1]
