"""Keys with a section's id in front, whatever a project does with its key functions."""

import pytest
from django.core.cache.backends.redis import RedisCache
from django.utils.safestring import mark_safe

from ci_cache_isolation.isolation import keys, notices
from ci_cache_isolation.isolation.keys import Attention, KeyFunction, maker_of
from ci_cache_isolation.isolation.stores.sectioned import SectionedStore
from tests.shared_caches import TEST, DictionaryCache, assert_isolated

pytestmark = pytest.mark.usefixtures("nothing_to_say")

NOT_ISOLATED = (
    "Cache 'custom' is not isolated: its backend {kind} does not make its "
    "keys by make_key() or key_func(). Tests and processes meet each other's "
    "entries in it. Have it call make_key(), or use LocMemCache for it in your test "
    "settings."
)


def by_number(key, prefix, version):
    return f"{prefix}/{version}/{key}"


class WithProperty(RedisCache):
    """Its function is another one each time."""

    @property
    def key_func(self):
        return by_number

    @key_func.setter
    def key_func(self, function):
        pass


class KeysAsTheyAre(DictionaryCache):
    """It makes no keys at all."""

    def make_and_validate_key(self, key, version=None):
        return key


class NoBaseCache:
    """It derives from nothing, and has its function on the class."""

    default_timeout = 300

    def __init__(self, location, params):
        self.entries = {}

    @staticmethod
    def key_func(key, prefix="", version=1):
        return f"{prefix}|{version}|{key}"

    def make_key(self, key, version=None):
        return self.key_func(key)

    def get(self, key, default=None):
        return self.entries.get(self.make_key(key), default)

    def set(self, key, value, timeout=None):
        self.entries[self.make_key(key)] = value

    def add(self, key, value, timeout=None):
        return self.entries.setdefault(self.make_key(key), value) is value

    def delete(self, key):
        return self.entries.pop(self.make_key(key), None) is not None

    def clear(self):
        self.entries.clear()


class WithoutAdding(NoBaseCache):
    """As test doubles do it, which are no caches."""

    add = None


@pytest.mark.parametrize("cache_class", [NoBaseCache])
def test_a_cache_need_not_be_one_of_djangos(store, sections, cache_class):
    store.prepare(cache_class)
    plain, cache = cache_class("", {}), cache_class("", {})
    assert store.adopt("custom", cache)
    assert plain.key_func("key") == "|1|key"
    assert_isolated(sections, cache)
    plain.set("key", 1)
    assert plain.entries == {"|1|key": 1}
    sections.stores[0]._at_exit()
    assert cache.entries == {}
    store.deactivate()
    assert cache.key_func("key") == "|1|key"
    assert isinstance(vars(NoBaseCache)["key_func"], staticmethod)


def test_a_function_that_is_another_one_each_time_is_left_alone(store):
    store.prepare(WithProperty)
    cache = WithProperty("redis://127.0.0.1:1", {})
    assert not store.adopt("custom", cache)
    assert cache.key_func is by_number


def test_a_double_that_cannot_add_is_left_alone(store):
    store.prepare(WithoutAdding)
    cache = WithoutAdding("", {})
    assert not store.adopt("custom", cache)


def test_a_backend_that_makes_no_keys_is_said_once(sections, opened):
    cache = opened("custom", cache_class=KeysAsTheyAre)
    for _ in range(2):
        with sections.opened(TEST):
            cache.set("key", 1)
            cache.add("key", 1)
    assert cache.get("key") == 1
    kind = f"{__name__}.KeysAsTheyAre"
    assert notices.take() == [NOT_ISOLATED.format(kind=kind)]


def test_an_object_in_nobodys_hands_has_its_own_function(store):
    store.prepare(RedisCache)
    cache = RedisCache("redis://127.0.0.1:1", {"KEY_FUNCTION": by_number})
    assert cache.key_func is by_number
    assert maker_of(cache) is None
    del cache.key_func
    with pytest.raises(
        AttributeError, match="'RedisCache' object has no attribute 'key_func'"
    ) as caught:
        cache.key_func  # noqa: B018
    assert (caught.value.name, caught.value.obj) == ("key_func", cache)


def test_what_a_maker_stands_for_can_be_asked_of_it(opened):
    cache = opened("redis", KEY_FUNCTION=by_number)
    assert cache.key_func == by_number
    assert hash(cache.key_func) == hash(by_number)
    assert cache.key_func.__name__ == "by_number"
    assert isinstance(vars(RedisCache)["key_func"], KeyFunction)


def test_a_deleted_function_is_gone(opened):
    cache = opened("redis")
    del cache.key_func
    assert not hasattr(cache, "key_func")
    assert maker_of(cache) is None


def test_a_key_may_be_taken_as_it_stands(sections, opened):
    cache = opened("custom")
    with sections.opened(TEST):
        in_section = cache.make_key("key")
        with Attention(["as it stands"]) as attention:
            assert not attention.is_asked
            assert cache.make_key("as it stands") == "as it stands"
            assert attention.is_asked
            assert cache.make_key("key") == in_section
        assert cache.make_key("as it stands").endswith(":1:as it stands")


def test_only_plain_strings_reach_a_backend(sections, opened):
    cache = opened("custom")
    with sections.opened(TEST):
        for key in ("key", mark_safe("key"), 1):
            assert type(cache.make_key(key)) is str
        with Attention(["as it stands"]):
            assert type(cache.make_key("as it stands")) is str


def test_everything_is_put_back(opened, store):
    before = {name: vars(RedisCache).get(name) for name in ("key_func", "clear")}
    other = SectionedStore()
    other.prepare(RedisCache)
    cache = RedisCache("redis://127.0.0.1:1", {})
    other.adopt("redis", cache)
    other.activate()
    assert cache.make_key("key") != ":1:key"
    other.deactivate()
    assert cache.make_key("key") == ":1:key"
    assert {name: vars(RedisCache).get(name) for name in before} == before
    assert keys.KEY_FUNCTION == "key_func"
