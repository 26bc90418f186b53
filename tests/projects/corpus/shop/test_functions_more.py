"""Functions that look like leaks and are none."""

import pytest
from django.core.cache import cache


@pytest.fixture
def borrowed_ladder():
    cache.set("ladder", "borrowed")
    yield
    cache.delete("ladder")


def test_ladder_is_borrowed(borrowed_ladder):
    assert cache.get("ladder") == "borrowed"


def test_ladder_is_there():
    assert "ladder" not in cache


@pytest.mark.parametrize("colour", ["red", "green"])
def test_paint_is_set_before_it_is_read(colour):
    cache.set("paint", colour)
    assert cache.get("paint") == colour


def test_lamp_may_be_on_or_off():
    assert cache.get("lamp") in {None, "on"}


@pytest.fixture
def empty():
    cache.delete("clerk")


def test_clerk_is_forgotten_first(empty):
    assert cache.get("clerk") is None


@pytest.fixture(scope="module")
def sign():
    cache.set("sign", "open")
    yield
    cache.delete("sign")


def test_sign_is_read(sign):
    assert cache.get("sign") == "open"


def test_sign_is_read_again(sign):
    assert cache.get("sign") == "open"


@pytest.mark.django_db
def test_no_cache_at_all(django_user_model):
    assert not django_user_model.objects.exists()
