"""Leaks between functions and fixtures, which only pytest knows."""

import pytest
from django.core.cache import cache, caches
from django.test import override_settings


def test_lamp_is_off():
    assert cache.get("lamp") is None


def test_lamp_is_switched_on():
    cache.set("lamp", "on")
    assert "lamp" in cache


@pytest.fixture
def hired_clerk():
    """Store, and never tidy up."""
    cache.set("clerk", "Bob")
    return "Bob"


def test_clerk_can_be_hired():
    assert cache.add("clerk", "Eve", timeout=1)
    cache.delete("clerk")


def test_clerk_works(hired_clerk):
    assert cache.get("clerk") == hired_clerk


@pytest.fixture
def dismissed_guard():
    yield
    cache.set("guard", "gone")


def test_guard_is_there():
    assert cache.get("guard", "there") == "there"


def test_guard_leaves(dismissed_guard):
    assert cache.get("guard", "there") in {"there", "gone"}


@pytest.fixture(scope="module")
def scales():
    cache.set("scales", 0)
    yield
    cache.delete("scales")


def test_scales_show_nothing(scales):
    assert cache.get("scales") == 0


def test_scales_are_used(scales):
    cache.incr("scales", 7)
    assert cache.get("scales") >= 7


def test_music_is_not_chosen():
    assert cache.get_or_set("music", "silence", timeout=None) == "silence"
    cache.delete("music")


@pytest.mark.parametrize("style", ["jazz", "tango"])
def test_music_is_chosen(style):
    cache.set("music", style)
    assert cache.get("music") == style


@pytest.mark.django_db(transaction=True)
def test_ledger_is_empty():
    assert caches["table"].get("ledger") is None


@pytest.mark.django_db(transaction=True)
def test_ledger_is_written():
    caches["table"].set("ledger", "12 EUR")
    assert caches["table"].get("ledger") == "12 EUR"


class TestMenuOfTheDay:
    def test_menu_of_the_day(self, client):
        assert client.get("/menu/fr/?dish=soupe").content.strip() == b"soupe"

    @override_settings(SHOP_NAME="Bistro")
    def test_menu_is_asked_for(self, client):
        assert client.get("/menu/fr/?dish=tarte").status_code == 200


def test_stamps_are_bought():
    cache.set("stamps", 10)
    assert cache.get("stamps") == 10


def test_stamps_are_used():
    """Brittle: it needs what was bought before."""
    assert cache.get("stamps", 0) > 0


@pytest.fixture(scope="module")
def heating():
    """Left by the module's tear-down: its tests pollute the modules that follow."""
    yield
    cache.set("heating", "on")


def test_heating_is_tested(heating):
    assert cache.get("heating") in {None, "on"}
