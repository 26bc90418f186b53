"""The victim of what a fixture of `test_functions_leaks` leaves when torn down."""

from django.core.cache import cache


def test_heating_is_off():
    assert cache.get("heating", "off") == "off"
