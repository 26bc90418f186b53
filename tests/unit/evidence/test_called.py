"""One call of an operation, as the access log has it."""

import pytest

from ci_cache_isolation.evidence.called import Called


class Log:
    def __init__(self):
        self.lines = []

    def store(self, cache, key, version, operation, deadline):
        self.lines.append("stored" if deadline is None else "stored until")

    def delete(self, cache, key, version, operation):
        self.lines.append("deleted")


@pytest.mark.parametrize(
    ("timeout", "line"),
    [
        (None, "stored"),
        (60, "stored until"),
        (1, "stored until"),
        (0.5, "stored until"),
        (0, "deleted"),
        (-1, "deleted"),
    ],
)
def test_what_is_stored_for_no_time_is_deleted(timeout, line):
    log = Log()
    Called(log, "set", object(), ("key", 1), {}, None).store("key", None, timeout)
    assert log.lines == [line]
