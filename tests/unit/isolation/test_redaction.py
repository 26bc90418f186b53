"""Passwords in locations are three stars."""

import pytest

from ci_cache_isolation.isolation.redaction import redacted

LOCATIONS = {
    "redis://localhost:6379/1": "redis://localhost:6379/1",
    "redis://:hush@localhost/1": "redis://:***@localhost/1",
    "redis://user:hush@localhost/1": "redis://user:***@localhost/1",
    "redis://user@localhost/1": "redis://user@localhost/1",
    "rediss://user:hu@sh:hu@localhost:1": "rediss://user:***@localhost:1",
    "redis://user:hu%2Fsh@localhost": "redis://user:***@localhost",
    "redis://user:hu?#sh@localhost": "redis://user:***@localhost",
    "redis://user:hu/sh@localhost/1": "redis://user:***@localhost/1",
    "redis://:hush@one,redis://:hush@two": "redis://:***@one,redis://:***@two",
    "redis://:hush@one, redis://two": "redis://:***@one, redis://two",
    "unix://:hush@/run/redis.sock?db=1": "unix://:***@/run/redis.sock?db=1",
    "unix:///run/redis.sock?password=hush&db=1": (
        "unix:///run/redis.sock?password=***&db=1"
    ),
    "redis://localhost?PASSWORD=hush": "redis://localhost?PASSWORD=***",
    "127.0.0.1:11211": "127.0.0.1:11211",
    "/var/cache/user:name@host": "/var/cache/user:name@host",
    "cache_table": "cache_table",
    "": "",
}


@pytest.mark.parametrize(("location", "expected"), LOCATIONS.items())
def test_the_password_is_taken_out_and_nothing_else(location, expected):
    assert redacted(location) == expected


@pytest.mark.parametrize("kind", [list, tuple])
def test_several_locations_are_redacted_one_by_one(kind):
    locations = kind(["redis://:hush@one", "redis://two"])
    assert redacted(locations) == "redis://:***@one, redis://two"


def test_what_is_no_text_is_made_text():
    assert redacted(None) == "None"
    assert redacted(("redis://:hush@one", None)) == "redis://:***@one, None"
    assert redacted(((("redis://:hush@one",), 3),)) == "redis://:***@one, 3"
