"""Audits of suites that patch a cache which code holds since import."""

import pytest

from tests.held_mocks import audit_names_the_leak


@pytest.mark.parametrize(
    ("runner", "store"),
    [("django", "memory"), ("django", "pymemcache"), ("pytest", "redis")],
)
def test_a_leak_beside_them_is_proved(runner, store, request):
    audit_names_the_leak(runner, store, request)
