"""What the shop remembers without a cache."""

import functools

from django.conf import settings

HOURS = {"monday": "9-18", "sunday": "closed"}
SUPPLIERS = {"dairy": "Green Hill"}


@functools.lru_cache
def name():
    """Remember what the settings said."""
    return settings.SHOP_NAME


class Opening:
    """Remembers for all its objects what was asked of any."""

    @staticmethod
    @functools.cache
    def hours(day):
        return HOURS[day]


@functools.lru_cache(maxsize=8)
def supplier(goods):
    return SUPPLIERS[goods]


@functools.cache
def greeting(language):
    return GREETINGS[language]


@functools.cache
def weekday(number):
    """Return the same whoever asks."""
    return ["monday", "tuesday"][number]


GREETINGS = {"en": "Hello"}
