"""A single test, to see whether isolation is on."""


def test_one():
    """Touch no cache."""
