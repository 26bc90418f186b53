"""Commands that empty a server are known on their way, and no values are taken for."""

import pytest

from ci_cache_isolation.probing.wire import emptying


@pytest.mark.parametrize(
    ("sent", "word"),
    [
        (b"*1\r\n$7\r\nFLUSHDB\r\n", "FLUSHDB"),
        (b"*2\r\n$8\r\nFLUSHALL\r\n$5\r\nASYNC\r\n", "FLUSHALL"),
        (b"*1\r\n$7\r\nflushdb\r\n", "flushdb"),
        (b"*1\r\n$5\r\nMULTI\r\n*1\r\n$7\r\nFLUSHDB\r\n", "FLUSHDB"),
        (b"flush_all\r\n", "flush_all"),
        (b"flush_all 0 noreply\r\n", "flush_all"),
        (b"get a\r\nflush_all\r\n", "flush_all"),
        (b"*3\r\n$3\r\nSET\r\n$9\r\nflush_all\r\n$1\r\n1\r\n", ""),
        (b"*3\r\n$3\r\nSET\r\n$9\r\n:1:FLUSHDB\r\n$1\r\n1\r\n", ""),
        (b"set :1:flush_all 0 0 1\r\n1\r\n", ""),
        (b"", ""),
    ],
)
def test_what_empties_a_server(sent, word):
    assert emptying(sent) == word
    assert emptying(memoryview(sent)) == word
