"""Entries as the access log has them."""

from types import SimpleNamespace

import pytest

from ci_cache_isolation.evidence.recorder import _ALIAS, Recorder


@pytest.mark.parametrize(
    ("attributes", "given", "version"),
    [({"version": 3}, None, "3"), ({"version": 3}, 2, "2"), ({}, None, "1")],
)
def test_a_version_that_is_not_given_is_the_caches_or_the_first(
    attributes, given, version
):
    cache = SimpleNamespace(**{_ALIAS: ("default", "memory:1"), **attributes})
    alias, entry = Recorder(None).entry_of(cache, "key", given)
    assert (alias, entry.version, entry.key) == ("default", version, "key")
