"""Keys that differ by a number, an id or an address only."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ci_cache_isolation.evidence.patterns import pattern_of

MD5 = "0cc175b9c0f1b6a831c399e269772661"
SESSIONS = "django.contrib.sessions"
SESSION = "9w1m3b0qz6v5x7k2j8h4g1f0d3s6a9p2"


@pytest.mark.parametrize(
    ("key", "pattern"),
    [
        ("user:17:cart", "user:<n>:cart"),
        ("page2", "page<n>"),
        ("price-1.50", "price-<n>.<n>"),
        ("day:2024-02-29", "day:<n>-<n>-<n>"),
        ("order:20240229", "order:<n>"),
        ("job:3f2504e0-4f89-11d3-9a0c-0305e82c3301", "job:<uuid>"),
        ("job:3F2504E0-4F89-11D3-9A0C-0305E82C3301!", "job:<uuid>!"),
        (f"template.cache.fragment.{MD5}", "template.cache.fragment.<hex>"),
        (
            f"views.decorators.cache.cache_page..GET.{MD5}.{MD5}.en-us.UTC",
            "views.decorators.cache.cache_page..GET.<hex>.<hex>.en-us.UTC",
        ),
        ("etag_1A2B3C4D", "etag_<hex>"),
        (f"{SESSIONS}.cache{SESSION}", f"{SESSIONS}.cache<id>"),
        (f"{SESSIONS}.cached_db{SESSION}", f"{SESSIONS}.cached_db<id>"),
        (f"token:{SESSION}", "token:<id>"),
        ("throttle_anon_127.0.0.1", "throttle_anon_<ip>"),
        ("throttle_anon_::ffff:127.0.0.1", "throttle_anon_<ip>"),
        ("throttle_anon_2001:db8::1", "throttle_anon_<ip>"),
        ("seen:fe80::1:2", "seen:<ip>"),
        ("seen:2001:db8:0:0:0:0:0:1", "seen:<ip>"),
        ("version:1.2.3", "version:<n>.<n>.<n>"),
        ("version:1.2.3.400", "version:<n>.<n>.<n>.<n>"),
        ("cart::1", "cart::<n>"),
        ("feed::1", "feed::<n>"),
        ("a:1:2:3", "a:<n>:<n>:<n>"),
        ("acceded", "acceded"),
        ("deadbeef", "deadbeef"),
        ("session:abcdefghijklmnopqrstuvwxyzabcdef", None),
        ("", ""),
    ],
)  # fmt: skip
def test_what_varies_is_named(key, pattern):
    assert pattern_of(key) == (key if pattern is None else pattern)


@given(st.text() | st.from_regex(r"[0-9a-f:.\-z]*"))
def test_a_pattern_is_its_own_pattern(key):
    assert pattern_of(pattern_of(key)) == pattern_of(key)


# Two colons after a number are an address: "1000::" is one.
words = st.text("ghijklmnopqrstuvwxyz_-:/ é", max_size=12).filter(
    lambda word: "::" not in word
)
numbers = st.integers(min_value=0, max_value=10**12).map(str)


@given(st.lists(st.tuples(words, numbers), min_size=1))
def test_keys_that_differ_by_numbers_are_one_pattern_and_keep_their_words(parts):
    key = "".join(f"{word}_{number}" for word, number in parts)
    assert pattern_of(key) == "".join(f"{word}_<n>" for word, _ in parts)


@given(words, words, st.ip_addresses(), st.ip_addresses())
@example("", "", IPv4Address("0.0.0.0"), IPv6Address(f"fdff{':ffff' * 7}"))
def test_keys_that_differ_by_addresses_are_one_pattern_and_keep_their_words(
    before, behind, one, other
):
    for separator in "_/@":
        keys = [
            f"{before}{separator}{each.exploded}{separator}{behind}"
            for each in (one, other)
        ]
        assert len(set(map(pattern_of, keys))) == 1
        assert pattern_of(keys[0]) == f"{before}{separator}<ip>{separator}{behind}"


@given(st.uuids(), st.uuids())
def test_keys_that_differ_by_ids_are_one_pattern(one, other):
    assert pattern_of(f"job:{one}") == pattern_of(f"job:{other}") == "job:<uuid>"
    assert pattern_of(f"job:{one.hex}:x") in {"job:<hex>:x", "job:<n>:x"}


@given(st.text("ghijklmnopqrstuvwxyz_:/é"))
def test_a_key_in_which_nothing_varies_is_its_own_pattern(key):
    assert pattern_of(key) == key
