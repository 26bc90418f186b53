"""What tests meet in, as lists of conflicts show it."""

from ci_cache_isolation.report.meetings import Meeting, by_pattern
from tests.unit.report.test_markdown import CONFLICT


def conflict(key, alias="default"):
    pattern = key.replace("1", "<n>").replace("2", "<n>")
    return CONFLICT | {"key": key, "alias": alias, "pattern": pattern}


def test_conflicts_of_one_alias_and_pattern_go_together():
    rows = [conflict("user:1"), conflict("user:x"), conflict("user:2")]
    found = by_pattern([*rows, conflict("user:1", "b")])
    keys = [[each["key"] for each in group] for group in found]
    assert keys == [["user:1", "user:2"], ["user:x"], ["user:1"]]
    met = Meeting.of(*found[0])
    assert met.what == "'user:<n>' (2 keys) in cache 'default'"


def test_whoever_leaves_and_reads_does_not_meet_itself():
    left = [{"test": "a", "at": "x:1", "how": "stored"}]
    seen = [{"test": "a", "at": "x:2"}, {"test": "b", "at": "y:2", "called_at": "b:3"}]
    met = Meeting.of(CONFLICT | {"left_by": left, "seen_by": seen})
    assert (met.how, met.left_by) == ("stored", "a at x:1")
    assert met.read_by == "b at y:2, called at b:3 and 1 more"


def test_a_function_and_a_key_of_ones_own_function_are_named():
    function = CONFLICT | {"alias": "", "key": "shop.rates.rate", "pattern": None}
    assert Meeting.of(function).what == (
        "shop.rates.rate() remembers (functools.lru_cache, shop/offers.py:13)"
    )
    met = Meeting.of(CONFLICT | {"made": "acme:1:offer"})
    assert met.what == "'offer:honey' (key 'acme:1:offer') in cache 'default'"


def test_sides_that_are_missing_are_empty():
    met = Meeting.of(CONFLICT | {"left_by": [], "seen_by": []})
    assert (met.how, met.left_by, met.read_by) == ("left", "", "")
