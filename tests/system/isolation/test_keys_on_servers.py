"""Keys with a section's id in front, whatever a project does with its key functions."""

import hashlib

import pytest
from django.core.cache.backends.redis import RedisCache

from tests.shared_caches import TEST, assert_isolated, raw_key

pytestmark = pytest.mark.usefixtures("nothing_to_say")


class Digesting(RedisCache):
    """It makes digests of its keys, as is done for long ones."""

    def make_key(self, key, version=None):
        made = super().make_key(key, version)
        return hashlib.sha256(made.encode()).hexdigest()


class DigestingTwice(Digesting):
    def make_key(self, key, version=None):
        return "twice:" + super().make_key(key.upper(), version)


class WithoutFunction(RedisCache):
    """It has no use for a key function."""

    def make_key(self, key, version=None):
        return f"own:{version or self.version}:{key}"


class WithMethod(RedisCache):
    """Its method is hidden behind the function that every object has."""

    def key_func(self, key, prefix, version):
        raise AssertionError


class WithBoundMethod(RedisCache):
    def __init__(self, server, params):
        super().__init__(server, params)
        self.tenant = "tenant"
        self.key_func = self.tenants_key

    def tenants_key(self, key, prefix, version):
        return f"{self.tenant}:{version}:{key}"


@pytest.mark.parametrize(
    "cache_class",
    [Digesting, DigestingTwice, WithoutFunction, WithMethod, WithBoundMethod],
)
def test_a_class_may_make_its_keys_in_a_way_of_its_own(
    sections, opened, redis_server, cache_class
):
    client = redis_server.client()
    client.flushall()
    plain = opened("redis", cache_class=cache_class, is_isolated=False)
    cache = opened("redis", cache_class=cache_class)
    with sections.opened(TEST):
        assert raw_key(cache, "key")[12:] == raw_key(plain, "key")
    assert_isolated(sections, cache)
    sections.stores[0]._at_exit()
    assert client.keys("*") == []
    client.close()


def test_the_id_is_fit_for_every_key(sections, opened):
    cache = opened("redis", KEY_PREFIX="prefix")
    made = []
    for _ in range(3):
        with sections.opened(TEST):
            made.append(cache.make_key("key"))
            cache.clear()
            made.append(cache.make_key("key"))
    ids = [key.removesuffix("prefix:1:key") for key in made]
    assert all(each.isalnum() and len(each) == 12 for each in ids)
    assert sorted(set(ids)) == ids
