"""What a rollback does not undo: told from statements, and in a real SQLite."""

import pytest

from ci_cache_isolation.running.inside.changes import is_lasting


@pytest.mark.parametrize(
    ("statement", "in_transaction", "outside"),
    [
        ("SELECT 1", False, False),
        ('INSERT INTO "a" VALUES (1)', False, True),
        ("DELETE FROM a", False, True),
        ("  create table a (b)", False, True),
        ("SAVEPOINT a", False, True),
        ("BEGIN", False, False),
        ("PRAGMA user_version = 1", False, True),
    ],
)
def test_sqlite_rolls_everything_back(statement, in_transaction, outside):
    for is_in_transaction, expected in ((True, in_transaction), (False, outside)):
        assert expected is is_lasting(
            statement, "sqlite", is_in_transaction=is_in_transaction
        )


@pytest.mark.parametrize("vendor", ["postgresql", "mysql", "oracle"])
@pytest.mark.parametrize(
    ("statement", "in_transaction", "outside"),
    [
        ("SELECT 1", False, True),
        ("\n select\n1", False, True),
        ("SELECT setval(pg_get_serial_sequence('a', 'id'), 5)", True, True),
        ("SELECT NEXTVAL('a_id_seq')", True, True),
        ("SELECT id AS nextvalue FROM a", False, True),
        # It takes a number from a sequence, and no rollback gives it back.
        ('INSERT INTO "a" VALUES (1)', True, True),
        ("WITH b AS (SELECT 1) SELECT 1", True, True),
        ("UPDATE a SET b = 1", False, True),
        ("DELETE FROM a", False, True),
        ("SAVEPOINT a", False, True),
        ("RELEASE SAVEPOINT a", False, True),
        ("ROLLBACK TO SAVEPOINT a", False, True),
        ("SET CONSTRAINTS ALL IMMEDIATE", False, True),
        ("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", False, False),
        ("SET SQL_AUTO_IS_NULL = 0; SET SESSION a = 1", False, False),
        ("SET SESSION a = 1; DELETE FROM a", False, True),
        ("SET GLOBAL a = 1", False, True),
        ("SETTLE", True, True),
        ("TRUNCATE a", True, True),
        ("?", True, True),
        ("", True, True),
    ],
)
def test_servers_keep_what_sequences_gave(vendor, statement, in_transaction, outside):
    for is_in_transaction, expected in ((True, in_transaction), (False, outside)):
        assert expected is is_lasting(
            statement, vendor, is_in_transaction=is_in_transaction
        )
