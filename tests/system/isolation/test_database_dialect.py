"""Caches in tables: queries that are not counted, culling, keys of any length."""

from contextlib import contextmanager

import pytest
from django.core.cache.backends.base import CacheKeyWarning
from django.db import connections, router, transaction
from django.test import SimpleTestCase
from django.test.utils import CaptureQueriesContext

from ci_cache_isolation.isolation import journal, notices
from tests.shared_caches import BLOCK, CLASS, DATABASES, OTHER_TEST, TEST, leave

pytestmark = pytest.mark.usefixtures("nothing_to_say")


@pytest.fixture(params=DATABASES)
def kind(request):
    return request.param


def connection_of(cache):
    return connections[router.db_for_write(cache.cache_model_class)]


def rows(cache):
    """Return the keys in the table, in its order."""
    with connection_of(cache).cursor() as cursor:
        cursor.execute(f"SELECT cache_key FROM {cache._table} ORDER BY cache_key")
        return [key for (key,) in cursor.fetchall()]


def counted(cache, operation):
    with CaptureQueriesContext(connection_of(cache)) as captured:
        operation(cache)
    return len(captured)


OPERATIONS = {
    "get": lambda cache: cache.get("key"),
    "get-missing": lambda cache: cache.get("missing"),
    "get_many": lambda cache: cache.get_many(["key", "other", "missing"]),
    "set": lambda cache: cache.set("key", 2),
    "set-new": lambda cache: cache.set("new", 2),
    "add": lambda cache: cache.add("key", 2),
    "add-new": lambda cache: cache.add("new", 2),
    "set_many": lambda cache: cache.set_many({"key": 2, "new": 2}),
    "touch": lambda cache: cache.touch("key"),
    "has_key": lambda cache: cache.has_key("key"),
    "delete": lambda cache: cache.delete("key"),
    "delete_many": lambda cache: cache.delete_many(["key", "other"]),
    "incr": lambda cache: cache.incr("key"),
    "incr_version": lambda cache: cache.incr_version("key"),
    "get_or_set": lambda cache: cache.get_or_set("key", 3),
}


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_an_operation_makes_as_many_queries_as_without_isolation(
    sections, kind, opened, operation
):
    plain, cache = opened(kind, is_isolated=False), opened(kind)
    plain.set_many({"key": 1, "other": 1})
    cache.set_many({"key": 1, "other": 1})
    with sections.opened(TEST):
        assert counted(cache, operation) == counted(plain, operation)


def test_rows_of_others_cause_no_more_queries(sections, kind, opened, locations):
    location = locations(kind)
    plain = opened(kind, location=location, is_isolated=False)
    for number in range(8):
        plain.set(f"before-{number}", 1)
    cache = opened(kind, location=location, OPTIONS={"MAX_ENTRIES": 5})
    with sections.opened(TEST):
        for number in range(4):
            cache.set(f"of-test-{number}", 1)
    with sections.opened(OTHER_TEST):
        # As in an empty table: count, look, insert and two of a savepoint's.
        alone = opened(kind, is_isolated=False)
        assert counted(cache, OPERATIONS["set"]) == counted(alone, OPERATIONS["set"])
        assert len(plain.get_many([f"before-{number}" for number in range(8)])) == 8


@pytest.mark.parametrize("frequency", [0, 1, 2, 3])
def test_culling_leaves_what_it_leaves_without_isolation(
    sections, kind, opened, locations, frequency
):
    options = {"OPTIONS": {"MAX_ENTRIES": 6, "CULL_FREQUENCY": frequency}}
    alone = opened(kind, is_isolated=False, **options)
    location = locations(kind)
    cache = opened(kind, location=location, **options)
    keys = [f"key-{number}" for number in range(10)]
    before = keys[:4]
    cache.set_many(dict.fromkeys(before, 1))
    with sections.opened(CLASS):
        cache.set("of-class", 1)
        alone.set_many(dict.fromkeys([*before, "of-class"], 1))
        with sections.opened(TEST):
            for key in keys[4:]:
                for each in (alone, cache):
                    each.set(key, 1)
                found = [each.get_many([*keys, "of-class"]) for each in (alone, cache)]
                assert found[0] == found[1]
        assert set(cache.get_many([*keys, "of-class"])) == {*before, "of-class"}
    assert set(cache.get_many(keys)) == set(before)


def test_culling_drops_what_has_expired_first(sections, kind, opened):
    cache = opened(kind, OPTIONS={"MAX_ENTRIES": 3})
    with sections.opened(TEST):
        for number in range(3):
            cache.set(f"expired-{number}", 1, -10)
        cache.set("kept", 1)
        cache.set("new", 1)
        assert set(cache.get_many(["kept", "new"])) == {"kept", "new"}


@pytest.mark.parametrize("character", ["x", "é", "日", "%", "_"])
@pytest.mark.parametrize("length", [200, 240, 250, 252])
@pytest.mark.filterwarnings("ignore::django.core.cache.CacheKeyWarning")
def test_a_key_that_fits_without_isolation_fits(
    sections, kind, opened, character, length
):
    cache = opened(kind)
    key, like_it = (character * (length - 4) + end for end in "ab")
    with sections.opened(CLASS):
        assert cache.set(key, 1) is None
        assert cache.get(key) == 1
        with sections.opened(TEST):
            assert cache.get(key) == 1
            assert cache.get(like_it) is None
            cache.set(key, 2)
            assert cache.get_many([key, like_it]) == {key: 2}
            cache.delete(key)
            assert cache.get(key) is None
        assert cache.get(key) == 1
    assert rows(cache) == []


def test_a_warning_about_a_key_speaks_of_the_users_own(sections, kind, opened):
    cache, plain = opened(kind), opened(kind, is_isolated=False)
    said = []
    for each in (plain, cache):
        with sections.opened(TEST), pytest.warns(CacheKeyWarning) as caught:
            each.get("k" * 260)
        said.append([str(each.message) for each in caught])
    assert said[0] == said[1]
    assert f":1:{'k' * 260}" in said[0][0]


def test_what_tests_stored_is_deleted_and_nothing_else(
    sections, kind, opened, locations
):
    location = locations(kind)
    opened(kind, location=location, is_isolated=False).set("before", 1)
    cache = opened(kind, location=location)
    with sections.opened(CLASS):
        cache.set("of-class", 1)
        for test in (TEST, OTHER_TEST):
            with sections.opened(test):
                cache.set_many({f"key-{number}": 1 for number in range(700)})
                cache.clear()
                cache.set("new", 1)
    assert rows(cache) == [":1:before"]


def test_a_connection_that_was_closed_keeps_nothing_from_being_deleted(
    sections, opened
):
    cache = opened("postgres")
    connection = connection_of(cache)
    with sections.opened(CLASS), sections.opened(TEST):
        cache.set("key", 1)
        # As Django does behind every test with transactions and every class.
        connection.close()
    assert connection.connection is None
    assert rows(cache) == []


@contextmanager
def forbidden_by_django(connection):
    class Tests(SimpleTestCase):
        databases = frozenset()

    Tests.setUpClass()
    try:
        with pytest.raises(AssertionError, match="not allowed"):
            connection.connect()
        yield
    finally:
        Tests.doClassCleanups()


@pytest.mark.parametrize("has_table", [True, False])
@pytest.mark.parametrize("forbidding", ["pytest-django", "django"])
def test_rows_are_deleted_where_tests_may_not_connect(
    sections, opened, django_db_blocker, forbidding, has_table
):
    cache = opened("postgres")
    connection = connection_of(cache)
    with sections.opened(CLASS), sections.opened(TEST):
        cache.set("key", 1)
    with sections.opened(CLASS):
        cache.set("other", 1)
        if not has_table:
            with connection.cursor() as cursor:
                cursor.execute(f"DROP TABLE {cache._table}")
        connection.close()
        if forbidding == "django":
            stack = forbidden_by_django(connection)
        else:
            stack = django_db_blocker.block()
        with stack:
            sections.end()
            assert connection.connection is None
        sections.begin(CLASS)
    assert not has_table or rows(cache) == []


def test_a_database_that_was_left_is_not_asked(sections, opened, monkeypatch):
    cache = opened("postgres")
    connection = connection_of(cache)
    with sections.opened(CLASS):
        cache.set("key", 1)
        connection.close()
        monkeypatch.setitem(connection.settings_dict, "NAME", "gone")
    assert connection.connection is None
    assert not sections.stores[0]._spaces.popitem()[1].has_waiting


def test_what_is_rolled_back_does_not_come_over(sections, kind, opened):
    cache = opened(kind)
    with sections.opened(CLASS):
        cache.set("kept", 1)
        connection = connection_of(cache)
        with transaction.atomic(connection.alias), sections.opened(TEST):
            cache.set("key", 1)
            assert cache.get_many(["kept", "key"]) == {"kept": 1, "key": 1}
            with sections.opened(BLOCK):
                assert cache.get("key") == 1
            transaction.set_rollback(True, connection.alias)  # noqa: FBT003
        with sections.opened(OTHER_TEST):
            assert cache.get_many(["kept", "key"]) == {"kept": 1}


def test_a_test_that_may_not_query_gets_djangos_own_error(sections, kind, opened):
    cache = opened(kind)
    cache.set("key", 1)
    alias = connection_of(cache).alias

    class Tests(SimpleTestCase):
        databases = frozenset()

        def test(self):
            cache.get("key")

    messages = []
    for is_isolated in (True, False):
        with sections.opened(TEST):
            if not is_isolated:
                sections.stores[0].frames.deactivate()
            result = Tests("test").defaultTestResult()
            Tests.setUpClass()
            try:
                Tests("test").run(result)
            finally:
                Tests.doClassCleanups()
            ((_, text),) = result.errors + result.failures
            messages.append(text.strip().splitlines()[-1])
            sections.stores[0].frames.activate()
    assert messages[0] == messages[1]
    assert f"to '{alias}' are not allowed in SimpleTestCase" in messages[0]


def test_what_a_test_may_not_ask_comes_over_when_it_may(
    sections, opened, django_db_blocker
):
    cache = opened("postgres")
    cache.set("key", 1)
    with sections.opened(TEST):
        with (
            django_db_blocker.block(),
            pytest.raises(RuntimeError, match="not allowed"),
        ):
            cache.get("key")
        assert cache.get("key") == 1


def test_what_an_outer_scope_changes_while_nobody_may_ask_comes_over_later(
    sections, opened, django_db_blocker
):
    cache = opened("postgres")
    with sections.opened(CLASS):
        cache.set("key", 1)
        with sections.opened(TEST):
            assert cache.get("key") == 1
            with sections.at(1):
                cache.set("key", 2)
                connection_of(cache).close()
                django_db_blocker.block()
            django_db_blocker.restore()
            assert cache.get("key") == 2
    assert notices.take() == []


def test_a_database_in_memory_is_not_written_down(
    sections, opened, monkeypatch, tmp_path
):
    monkeypatch.setenv(journal.DIRECTORY_VARIABLE, str(tmp_path / "state"))
    cache = opened("database")
    with sections.opened(TEST):
        cache.set("key", 1)
    leave(sections.stores[0])
    assert not list(tmp_path.glob("state/*"))


def test_a_table_that_its_test_dropped_needs_no_tidying(sections, kind, opened):
    cache = opened(kind)
    with sections.opened(CLASS):
        with sections.opened(TEST):
            cache.set("key", 1)
        with connection_of(cache).cursor() as cursor:
            cursor.execute(f"ALTER TABLE {cache._table} RENAME TO dropped_meanwhile")
    with connection_of(cache).cursor() as cursor:
        cursor.execute(f"ALTER TABLE dropped_meanwhile RENAME TO {cache._table}")
