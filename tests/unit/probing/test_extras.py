"""A backend's own methods are called with what is ours, or not at all."""

import pytest
from django.core.cache.backends.locmem import LocMemCache

from ci_cache_isolation.probing.extras import extras_of, suite_of
from ci_cache_isolation.probing.steps import names_in


class Extended(LocMemCache):
    """A backend that can do more."""

    def sadd(self, key, *values, version=None): ...
    def smembers(self, key): ...
    def srem(self, key, *values): ...
    def ttl(self, key): ...
    def delete_pattern(self, pattern, version=None): ...
    def keys_with_prefix(self, prefix): ...
    def evict(self, tag): ...
    def index(self, name): ...
    def rename(self, src, dst): ...
    def lock(self, key, timeout=None): ...
    def keys(self, search="*"): ...
    def cull(self): ...
    def flush_expired(self, key): ...
    def expire_all(self): ...
    def fetch(self, url): ...
    def named_only(self, *, key): ...


class Passing(LocMemCache):
    """A backend that passes all on to a client."""

    def hset(self, *args, **kwargs): ...
    def unknown(self, *args, **kwargs): ...

    @property
    def client(self):
        class Client:
            def hset(self, key, field, value): ...

        return Client()


def called(cache, *, is_own=False):
    calls, left_out = extras_of(cache, is_own=is_own)
    return [str(each) for each in calls], left_out


def test_what_takes_a_key_or_a_pattern_is_called_with_ours():
    calls, _ = called(Extended("", {}))
    assert calls == [
        "sadd('set', 1)",
        "keys_with_prefix('')",
        "lock('lock')",
        "rename('list', 'second')",
        "smembers('set')",
        "ttl('own')",
        "delete_pattern('**')",
        "evict('tag')",
        "srem('set', 1)",
    ]


def test_what_would_reach_more_or_the_unknown_is_left_out_and_named():
    _, left_out = called(Extended("", {}))
    assert sorted(left_out) == [
        "cull",
        "expire_all",
        "fetch",
        "flush_expired",
        "index",
        "keys",
        "named_only",
    ]


def test_more_is_called_in_a_place_of_ones_own():
    calls, _ = called(Extended("", {}), is_own=True)
    assert {"index('name')", "keys('**')"} <= {*calls}


def test_signatures_are_those_of_the_client_where_all_is_passed_on():
    calls, left_out = called(Passing("", {}))
    assert calls == ["hset('hash', 'f', 3)"]
    assert "unknown" in left_out


def test_every_call_names_something_of_ours():
    calls, _ = extras_of(Extended("", {}), is_own=True)
    assert all([*names_in(each)] for each in calls)


def test_what_is_left_of_a_time_may_differ():
    calls, _ = extras_of(Extended("", {}), is_own=False)
    assert [each.method for each in calls if each.is_rough] == ["ttl"]


def test_a_suite_stores_first_and_has_two_tests():
    suite = suite_of(Extended("", {}), is_own=False)
    assert [each.method for each in suite.setup] == ["sadd"]
    assert len(suite.tests) == 2


@pytest.mark.parametrize("is_own", [True, False])
def test_a_backend_without_methods_of_its_own_has_no_such_suite(is_own):
    assert suite_of(LocMemCache("", {}), is_own=is_own) is None
