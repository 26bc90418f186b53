"""What the user is told, once, and never inside a test."""

import warnings

import pytest

from ci_cache_isolation.errors import CacheIsolationWarning
from ci_cache_isolation.isolation import notices

pytestmark = pytest.mark.usefixtures("own_notices")


def test_a_notice_can_be_taken_once():
    notices.note("one")
    notices.note("other")
    notices.note("one")
    assert notices.take() == ["one", "other"]
    assert notices.take() == []
    notices.note("one")
    assert notices.take() == []


def test_what_was_noted_later_can_be_taken_later():
    notices.note("one")
    notices.take()
    notices.note("other")
    assert notices.take() == ["other"]


def test_notices_are_given_out_as_warnings_once():
    notices.note("one")
    with pytest.warns(CacheIsolationWarning) as caught:
        notices.warn()
    assert [str(each.message) for each in caught] == ["one"]
    with warnings.catch_warnings(record=True) as caught:
        notices.note("one")
        notices.warn()
    assert caught == []


def test_all_notices_are_given_out_where_warnings_are_errors(capsys):
    notices.note("one")
    notices.note("other")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        notices.warn()
    assert capsys.readouterr().err == (
        "CacheIsolationWarning: one\nCacheIsolationWarning: other\n"
    )
    assert notices.take() == []


def test_the_user_may_silence_notices(capsys):
    notices.note("one")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CacheIsolationWarning)
        notices.warn()
    assert capsys.readouterr().err == ""
