"""What only pytest has: functions, and fixtures of wider scopes."""

from pathlib import Path

import pytest
from django.core.cache import cache

from leaks.models import Note


@pytest.fixture(scope="session")
def of_session():
    # Not there twice: what sets it up tears it down.
    Path("of-session").mkdir()
    cache.set("session", 1)
    yield
    Path("of-session").rmdir()


@pytest.fixture(scope="module")
def of_module():
    cache.set("module", 1)
    yield
    assert cache.get("module") == 1


def test_deletes(of_session, of_module):
    assert cache.get("session") == 1
    assert cache.get("module") == 1
    cache.delete("session")


def test_reads(of_session, of_module):
    assert cache.get("session") == 1


@pytest.mark.django_db
def test_with_database(tmp_path):
    (tmp_path / "file").touch()
    assert Note.objects.count() == 0
    Note.objects.create(text="rolled back")


@pytest.mark.xfail(strict=True)
def test_fails_as_expected():
    raise AssertionError
