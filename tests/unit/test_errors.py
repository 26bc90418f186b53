"""The errors of this package."""

import re

import pytest

from ci_cache_isolation import errors
from ci_cache_isolation.errors import IsolationError

ERRORS = [
    each
    for each in vars(errors).values()
    if isinstance(each, type) and issubclass(each, IsolationError)
]


def test_every_error_has_a_slug_of_its_own():
    slugs = [error.slug for error in ERRORS]
    assert len(set(slugs)) == len(slugs) > 1
    assert all(re.fullmatch("[a-z-]+", slug) for slug in slugs)


@pytest.mark.parametrize("error", ERRORS)
def test_every_error_can_be_caught_as_one_of_ours_and_is_public(error):
    assert issubclass(error, IsolationError)
    assert error.__name__ in errors.__all__


def test_what_cannot_be_isolated_is_a_warning_that_users_can_filter():
    assert issubclass(errors.CacheIsolationWarning, UserWarning)
