"""Functions and fixtures: pytest's alone."""

import pytest
from django.core.cache import cache

from desk import lending
from desk.models import Member


@pytest.fixture(scope="module")
def founder(django_db_setup, django_db_blocker):
    """Commit a row before any transaction begins, and leave it there."""
    with django_db_blocker.unblock():
        return Member.objects.get_or_create(name="Founder")[0]


@pytest.fixture
def torn():
    """Change what a memoised function tells, and put it right again."""
    lending.FEES["lost"] += 1
    yield
    lending.FEES["lost"] -= 1


@pytest.mark.django_db
def test_desk_has_no_founder():
    assert not Member.objects.filter(name="Founder").exists()


@pytest.mark.django_db
def test_founder_founds(founder):
    assert Member.objects.filter(name="Founder").exists()


@pytest.mark.django_db
def test_founder_is_patient():
    Member.objects.create(name="Patron")
    assert Member.objects.filter(name="Patron").exists()


def test_lost_books_cost_thirty():
    assert lending.fee("lost") == 30


def test_lost_books_cost_more(torn):
    lending.fee.cache_clear()
    assert lending.fee("lost") == 31


@pytest.mark.parametrize("shop", ["bar", "tea room"])
def test_tea_is_ready(shop):
    assert cache.get(f"tea:{shop[:3]}") is None


@pytest.mark.parametrize("shop", ["bar", "tea room"])
def test_tea_is_sold_out(shop):
    cache.set(f"tea:{shop[:3]}", "sold out")
    assert cache.get(f"tea:{shop[:3]}") == "sold out"


def test_patched_and_put_back(monkeypatch):
    monkeypatch.setattr(lending.lend, "most", 1)
    monkeypatch.setenv("DESK_REGION", "west")
    monkeypatch.chdir("/")
    assert lending.lend.most == 1


def test_settings_are_put_back(settings):
    settings.DESK_NAME = "Kiosk"
    assert settings.DESK_NAME == "Kiosk"


@pytest.mark.xfail(strict=True)
def test_fails_as_expected():
    raise AssertionError


@pytest.mark.skip(reason="not yet")
def test_is_skipped():
    raise AssertionError
