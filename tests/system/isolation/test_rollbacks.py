"""DatabaseCache and transactions: what is rolled back, isolated or not, never was."""

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from django.db import DatabaseError, connections, router, transaction
from django.test import TestCase

from ci_cache_isolation.isolation import journal, keyspace, notices
from tests.shared_caches import BLOCK, CLASS, DATABASES, OTHER_TEST, TEST, raw_key

pytestmark = pytest.mark.usefixtures("nothing_to_say")

SEEDS = range(2)
PROGRAMS = 10
KEYS = ["a", "b", "c", "d"]


class UndoneError(Exception):
    """Ends a transaction without a trace."""


@pytest.fixture(params=DATABASES)
def kind(request):
    return request.param


@pytest.fixture(params=["on", "off"])
def cache(request, kind, opened):
    """A cache in a table, isolated and as plain Django opens it."""
    return opened(kind, is_isolated=request.param == "on")


def connection_of(cache):
    return connections[router.db_for_write(cache.cache_model_class)]


def rows(cache):
    with connection_of(cache).cursor() as cursor:
        cursor.execute(f"SELECT cache_key FROM {cache._table}")
        return sorted(key for (key,) in cursor.fetchall())


class rolled_back:  # noqa: N801 - reads like the atomic() that it is
    def __init__(self, cache, **options):
        self.atomic = transaction.atomic(connection_of(cache).alias, **options)

    def __enter__(self):
        self.atomic.__enter__()

    def __exit__(self, kind, error, traceback):
        if kind is None:
            kind, error = UndoneError, UndoneError()
        with suppress(UndoneError):
            self.atomic.__exit__(kind, error, traceback)


def atomic(cache, **options):
    return transaction.atomic(connection_of(cache).alias, **options)


def test_what_was_read_in_a_transaction_is_there_when_that_is_rolled_back(
    sections, cache
):
    with sections.opened(CLASS):
        cache.set("key", 1)
        with sections.opened(TEST):
            with rolled_back(cache):
                assert cache.get("key") == 1
            assert cache.get("key") == 1
            assert cache.get_many(["key"]) == {"key": 1}


def test_what_was_deleted_in_a_transaction_is_there_when_that_is_rolled_back(
    sections, cache
):
    with sections.opened(CLASS):
        cache.set("key", 1)
        with sections.opened(TEST):
            with rolled_back(cache):
                cache.delete("key")
                assert cache.get("key") is None
            assert cache.get("key") == 1


def test_what_was_cleared_in_a_transaction_is_there_when_that_is_rolled_back(
    sections, cache
):
    with sections.opened(CLASS):
        cache.set("of-class", 1)
        with sections.opened(TEST):
            cache.set("of-test", 2)
            for _ in range(3):
                with rolled_back(cache):
                    cache.clear()
                    cache.set("new", 3)
                    cache.clear()
                    keys = ["of-class", "of-test", "new"]
                    assert cache.get_many(keys) == {}
                assert cache.get_many(keys) == {"of-class": 1, "of-test": 2}
            with atomic(cache):
                cache.clear()
            assert cache.get_many(keys) == {}


def test_a_savepoint_that_is_rolled_back_undoes_what_was_done_since(sections, cache):
    with sections.opened(CLASS):
        cache.set_many({"one": 1, "two": 2})
        with sections.opened(TEST), atomic(cache):
            assert cache.get("one") == 1
            with rolled_back(cache):
                cache.set("one", "changed")
                with atomic(cache):
                    assert cache.get("two") == 2
                cache.clear()
            assert cache.get_many(["one", "two"]) == {"one": 1, "two": 2}
            cache.delete("one")
            with rolled_back(cache):
                assert cache.get("two") == 2
            assert cache.get_many(["one", "two"]) == {"two": 2}


def test_a_savepoint_of_one_s_own_is_rolled_back_by_its_id(sections, cache):
    connection = connection_of(cache)
    with sections.opened(CLASS):
        cache.set("key", 1)
        with sections.opened(TEST), atomic(cache):
            before = connection.savepoint()
            cache.delete("key")
            connection.savepoint_rollback(before)
            assert cache.get("key") == 1
            released = connection.savepoint()
            cache.delete("key")
            connection.savepoint_commit(released)
            assert cache.get("key") is None
            connection.savepoint_rollback(before)
            assert cache.get("key") == 1


def test_a_transaction_without_a_block_is_rolled_back(sections, cache):
    connection = connection_of(cache)
    with sections.opened(CLASS):
        cache.set("key", 1)
        with sections.opened(TEST):
            connection.set_autocommit(False)
            cache.delete("key")
            connection.rollback()
            assert cache.get("key") == 1
            cache.delete("key")
            connection.commit()
            connection.rollback()
            connection.set_autocommit(True)
            assert cache.get("key") is None


@pytest.mark.parametrize("kind", ["postgres", "mariadb"], indirect=True)
def test_a_connection_that_is_closed_in_a_transaction_rolls_it_back(sections, cache):
    with sections.opened(CLASS):
        cache.set("key", 1)
        with sections.opened(TEST):
            with suppress(DatabaseError), atomic(cache):
                cache.delete("key")
                connection_of(cache).close()
            assert cache.get("key") == 1


def test_what_a_block_without_a_savepoint_did_goes_with_the_one_around_it(
    sections, cache
):
    with sections.opened(CLASS):
        cache.set("key", 1)
        with sections.opened(TEST):
            with rolled_back(cache):
                with rolled_back(cache, savepoint=False):
                    cache.delete("key")
                with pytest.raises(transaction.TransactionManagementError):
                    cache.get("key")
            assert cache.get("key") == 1


def test_a_block_in_a_transaction_and_one_around_it(sections, opened, kind):
    cache = opened(kind)
    keys = ["key", "own", "new"]
    with sections.opened(CLASS):
        cache.set("key", 1)
        with sections.opened(TEST):
            cache.set("own", 1)
            with sections.opened(BLOCK):
                with rolled_back(cache):
                    cache.delete_many(keys)
                    cache.set("new", 1)
                assert cache.get_many(keys) == {"key": 1, "own": 1}
            with rolled_back(cache):
                cache.set("own", 2)
                with sections.opened(BLOCK):
                    assert cache.get_many(keys) == {"key": 1, "own": 2}
                    cache.clear()
                assert cache.get_many(keys) == {"key": 1, "own": 2}
                cache.clear()
            with sections.opened(BLOCK):
                assert cache.get_many(keys) == {"key": 1, "own": 1}
            assert cache.get_many(keys) == {"key": 1, "own": 1}
        assert cache.get_many(keys) == {"key": 1}


def test_a_class_whose_set_up_is_rolled_back_hides_nothing(sections, cache):
    with sections.opened(CLASS):
        cache.set("key", 1)
        with sections.opened(TEST):
            with rolled_back(cache):
                cache.set("key", 2)
            with sections.opened(BLOCK):
                assert cache.get("key") == 1


def test_what_a_rolled_back_block_changed_in_a_visit_is_not_carried(
    sections, opened, kind
):
    cache = opened(kind)
    with sections.opened(CLASS):
        cache.set_many({"key": 1, "other": 1})
        with sections.opened(TEST):
            cache.set_many({"key": 2, "other": 2})
            with sections.at(1):
                with rolled_back(cache):
                    cache.set("key", 3)
                    cache.clear()
                cache.set("other", 3)
            assert cache.get_many(["key", "other"]) == {"key": 2, "other": 3}


def test_culling_that_is_rolled_back_hides_nothing(sections, opened, kind):
    options = {"OPTIONS": {"MAX_ENTRIES": 2, "CULL_FREQUENCY": 0}}
    cache = opened(kind, **options)
    with sections.opened(CLASS):
        cache.set_many(dict.fromkeys(KEYS[:2], 1))
        with sections.opened(TEST):
            with rolled_back(cache):
                for key in KEYS:
                    cache.set(key, 2)
                assert cache.get("a") is None
            assert cache.get_many(KEYS) == {"a": 1, "b": 1}


def test_tests_of_a_class_share_what_its_set_up_stored(sections, kind, opened):
    cache = opened(kind)
    seen = []

    class Tests(TestCase):
        databases = frozenset({connection_of(cache).alias})

        @classmethod
        def setUpTestData(cls):
            cache.set("key", 1)

        def test(self):
            with rolled_back(cache):
                seen.append(cache.get("key"))
            seen.append(cache.get("key"))
            cache.delete("key")

        test_again = test

    with sections.opened(CLASS):
        Tests.setUpClass()
        try:
            for name in ("test", "test_again"):
                with sections.opened(TEST):
                    result = Tests("test").defaultTestResult()
                    Tests(name)(result)
                    assert result.wasSuccessful(), result.errors
        finally:
            Tests.tearDownClass()
            Tests.doClassCleanups()
    assert seen == [1, 1] * 2
    assert rows(cache) == []


def test_what_was_stored_before_a_transaction_is_deleted_after_it(
    sections, opened, kind, monkeypatch
):
    monkeypatch.setattr(keyspace, "BATCH", 6)
    cache = opened(kind)
    with sections.opened(CLASS):
        with sections.opened(TEST):
            cache.set_many(dict.fromkeys(KEYS, 1))
        with rolled_back(cache), sections.opened(OTHER_TEST):
            # More than waits together.
            cache.set_many(dict.fromkeys(KEYS, 2))
    assert rows(cache) == []


@pytest.mark.parametrize("kind", ["postgres", "mariadb"], indirect=True)
def test_two_processes_at_one_key_spoil_no_transaction(sections, opened, kind):
    cache = opened(kind)
    with sections.opened(CLASS), ThreadPoolExecutor(1) as thread:
        cache.set_many({"key": 1, "other": 1})
        with sections.opened(TEST):
            name = raw_key(cache, "other").replace("other", "key")
            insert = f"INSERT INTO {cache._table} SELECT %s, value, expires "
            insert += f"FROM {cache._table} WHERE cache_key = %s"
            holds, reads = threading.Event(), threading.Event()

            def hold():
                try:
                    with atomic(cache), connection_of(cache).cursor() as cursor:
                        cursor.execute(insert, [name, raw_key(cache, "other")])
                        holds.set()
                        assert reads.wait(30)
                        # Until the reader waits for this transaction.
                        time.sleep(0.2)
                finally:
                    connection_of(cache).close()

            assert cache.get("other") == 1
            holding = thread.submit(hold)
            assert holds.wait(30)
            with atomic(cache):
                reads.set()
                assert cache.get("key") == 1
                assert cache.get("other") == 1
            holding.result()


@pytest.mark.parametrize("kind", ["postgres"], indirect=True)
def test_a_copy_that_is_refused_spoils_no_transaction(sections, opened, kind):
    cache = opened(kind)
    with sections.opened(CLASS):
        cache.set_many({"key": 1, "other": 1})
        with sections.opened(TEST):
            own = cache.make_key("other").removesuffix("other")
            assert cache.get("other") == 1
            with connection_of(cache).cursor() as cursor:
                cursor.execute(
                    f"ALTER TABLE {cache._table} ADD CHECK (cache_key <> '{own}key')"
                )
            with atomic(cache):
                assert cache.get("key") is None
                assert cache.get("other") == 1
    [said] = notices.take()
    assert "could not be brought into a test's section: IntegrityError" in said


def test_names_that_were_noted_in_a_killed_run_stay_noted(
    sections, opened, monkeypatch, tmp_path
):
    monkeypatch.setenv(journal.DIRECTORY_VARIABLE, str(tmp_path / "state"))
    cache = opened("postgres")
    with sections.opened(CLASS):
        cache.set("before", 1)
        with sections.opened(TEST):
            cache.set("key", 1)
            with atomic(cache):
                cache.clear()
                sections.tidy()
                files = [each for each in tmp_path.rglob("*") if each.is_file()]
                assert any(b":1:key" in each.read_bytes() for each in files)
    assert rows(cache) == []


# Programs: lists of operations, and of blocks with a program in them.


def program(random, depth=0):
    return [step(random, depth) for _ in range(random.randint(2, 6))]


def step(random, depth):
    key, number = random.choice(KEYS), random.randint(0, 9)
    choices = ["get", "set", "delete", "incr", "add", "touch", "get_many", "clear"]
    weights = [5, 4, 4, 2, 2, 1, 2, 1]
    if depth < 4:
        choices += ["commit", "roll-back", "block"]
        weights += [2, 4, 2]
    [kind] = random.choices(choices, weights)
    if kind in {"commit", "roll-back", "block"}:
        return kind, program(random, depth + 1)
    return kind, key, number


OPERATIONS = {
    "get": lambda cache, key, _: cache.get(key),
    "set": lambda cache, key, number: cache.set(key, number),
    "add": lambda cache, key, number: cache.add(key, number),
    "delete": lambda cache, key, _: cache.delete(key),
    "touch": lambda cache, key, _: cache.touch(key, 100),
    "incr": lambda cache, key, number: cache.incr(key, number),
    "get_many": lambda cache, *_: cache.get_many(KEYS),
    "clear": lambda cache, *_: cache.clear(),
}


def run(program, cache, block, seen):
    """Run a program; add to ``seen`` all that one would see."""
    for kind, *rest in program:
        if kind == "commit":
            with atomic(cache):
                run(*rest, cache, block, seen)
        elif kind == "roll-back":
            with rolled_back(cache):
                run(*rest, cache, block, seen)
        elif kind == "block":
            with block():
                run(*rest, cache, block, seen)
        else:
            try:
                seen.append((kind, rest, OPERATIONS[kind](cache, *rest)))
            except ValueError:
                seen.append((kind, rest, "missing"))


class put_back:  # noqa: N801
    """What `isolated()` promises, done by hand: the table is as it was."""

    def __init__(self, cache):
        self.cache = cache

    def __enter__(self):
        with connection_of(self.cache).cursor() as cursor:
            cursor.execute(f"SELECT * FROM {self.cache._table}")
            self.rows = cursor.fetchall()

    def __exit__(self, *_):
        with connection_of(self.cache).cursor() as cursor:
            cursor.execute(f"DELETE FROM {self.cache._table}")
            for row in self.rows:
                marks = ", ".join(["%s"] * len(row))
                cursor.execute(f"INSERT INTO {self.cache._table} VALUES ({marks})", row)


def see_the_same(plain, cache, sections, seed):
    """Run programs on a plain and on an isolated cache, and compare what they see."""
    generator = random.Random(seed)
    for _ in range(PROGRAMS):
        set_up, *tests = [program(generator) for _ in range(3)]
        expected, found = [], []
        plain.clear()
        run(set_up, plain, lambda: put_back(plain), expected)
        for each in tests:
            with put_back(plain):
                run(each, plain, lambda: put_back(plain), expected)
        with sections.opened(CLASS):
            run(set_up, cache, lambda: sections.opened(BLOCK), found)
            for each in tests:
                with sections.opened(TEST):
                    run(each, cache, lambda: sections.opened(BLOCK), found)
        assert found == expected, (set_up, tests)
        assert rows(cache) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_random_programs_see_what_they_see_without_isolation(
    sections, opened, kind, seed
):
    plain, cache = opened(kind, is_isolated=False), opened(kind)
    see_the_same(plain, cache, sections, seed)
