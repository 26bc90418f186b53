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
