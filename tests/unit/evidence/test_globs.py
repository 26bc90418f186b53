"""Redis's patterns, beside a Redis."""

import pytest
from hypothesis import strategies as st

from ci_cache_isolation.evidence.globs import is_match

# Ranges of bytes beyond 127 are the business of the server's processor.
patterns = st.text("ab-*?[]^\\\\:\n", max_size=8)


@pytest.mark.parametrize(
    ("pattern", "key", "expected"),
    [
        ("*", "", True),
        ("letter:*", "letter:a:b", True),
        ("letter:*", "letters:a", False),
        ("letter:?", "letter:", False),
        ("[a-c]x", "bx", True),
        ("[^a-c]x", "bx", False),
        (r"\*", "*", True),
        (r"\*", "a", False),
        ("a**b", "a\nb", True),
        ("*" * 50 + "b", "a" * 200, False),
    ],
)
def test_a_pattern_finds_what_it_should(pattern, key, expected):
    assert is_match(pattern, key) is expected
