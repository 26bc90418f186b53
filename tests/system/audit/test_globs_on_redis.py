"""Redis's patterns, beside a Redis."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ci_cache_isolation.evidence.globs import is_match

# Ranges of bytes beyond 127 are the business of the server's processor.
patterns = st.text("ab-*?[]^\\\\:\n", max_size=8)
# No made key is empty; for one Redis's KEYS finds "*" and not "**".
keys = st.text("ab-]^\\\\:é\n", min_size=1, max_size=5)


@given(pattern=patterns, key=keys)
@settings(max_examples=1000)
@example(pattern="[a", key="a")
@example(pattern="[c-a]", key="b")
@example(pattern="[]", key="a")
@example(pattern="[^]", key="a")
@example(pattern="[a-]", key="-")
@example(pattern="a\\", key="a\\")
@example(pattern="??", key="é")
def test_redis_finds_the_same(redis_client, pattern, key):
    redis_client.set(key, 1)
    found = redis_client.keys(pattern)
    redis_client.delete(key)
    assert is_match(pattern, key) is bool(found)


@pytest.fixture(scope="module")
def redis_client(redis_server):
    client = redis_server.client()
    # Others use another database of the same server.
    client.select(9)
    yield client
    client.close()
