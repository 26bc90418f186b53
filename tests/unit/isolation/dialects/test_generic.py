"""Custom backends: what they left is purged by name, timeouts are remembered."""

import asyncio
from contextlib import nullcontext

import pytest
from django.core.cache.backends.base import DEFAULT_TIMEOUT

from ci_cache_isolation.isolation import clocks, journal
from ci_cache_isolation.isolation.deletions import BATCH
from ci_cache_isolation.isolation.purging import purge
from tests.shared_caches import BLOCK, CLASS, TEST, DictionaryCache, dictionaries
from tests.stopped_clocks import FUTURE, LIBRARIES, PAST


@pytest.fixture
def cache(opened):
    return opened("custom", TIMEOUT=77)


def seconds(cache, key):
    _, expiry = cache.entries[cache.make_key(key)]
    return None if expiry is None else round(expiry - cache.now())


@pytest.fixture
def frozen(monkeypatch):
    monkeypatch.setattr("time.time", lambda: 1_000_000.0)
    monkeypatch.setattr(DictionaryCache, "now", lambda _: 1_000_000.0, raising=False)


class ServersCache(DictionaryCache):
    """A backend of a server: it counts whole seconds, on a clock of its own."""

    def get_backend_timeout(self, timeout=DEFAULT_TIMEOUT):
        if timeout is DEFAULT_TIMEOUT:
            timeout = self.default_timeout
        return None if timeout is None else clocks.steady() + int(timeout)

    def _holds(self, made):
        _, expiry = self.entries.get(made, (None, -1))
        return expiry is None or expiry > clocks.steady()


@pytest.fixture(params=[DictionaryCache, ServersCache])
def either(request, opened):
    """An isolated cache and a plain one, whose entries expire on a clock of tests."""
    return [
        opened("custom", cache_class=request.param, is_isolated=is_isolated)
        for is_isolated in (True, False)
    ]


@pytest.mark.usefixtures("frozen")
@pytest.mark.parametrize(("given", "expected"), [((), 77), ((5,), 5), ((None,), None)])
def test_a_timeout_is_remembered_through_all_scopes(sections, cache, given, expected):
    with sections.opened(CLASS):
        cache.set("set", 1, *given)
        cache.add("added", 1, *given)
        cache.set_many({"many": 1}, *given)
        cache.set("touched", 1, 1000)
        cache.touch("touched", *given)
        cache.set("versioned", 1, *given, version=2) if given else None
        for scope in (TEST, BLOCK):
            sections.begin(scope)
            for key in ("set", "added", "many", "touched"):
                assert cache.get(key) == 1
                assert seconds(cache, key) == expected
        sections.move_to((CLASS,))


@pytest.mark.usefixtures("frozen")
def test_a_timeout_that_was_not_taken_is_not_remembered(sections, cache):
    with sections.opened(CLASS):
        cache.set("key", 1, timeout=50)
        assert not cache.add("key", 1, timeout=5)
        assert not cache.touch("absent", timeout=5)
        with sections.opened(TEST):
            assert cache.get("key") == 1
            assert seconds(cache, "key") == 50
        assert cache.touch("key", timeout=20)
        with sections.opened(TEST):
            assert cache.get("key") == 1
            assert seconds(cache, "key") == 20


def test_timeouts_are_forgotten_with_their_entries(sections, cache):
    (space,) = sections.stores[0]._spaces.values()
    with sections.opened(CLASS), sections.opened(TEST):
        cache.set_many({"a": 1, "b": 1})
        assert len(space.expiries) == 2
    assert space.expiries == {}


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("timeout", [60, 10**9, None])
@pytest.mark.parametrize(
    "places",
    [(None, PAST), (None, FUTURE), (PAST, None), (FUTURE, None), (PAST, FUTURE)],
)
def test_under_a_stopped_clock_an_entry_expires_as_without_isolation(
    sections, either, library, timeout, places
):
    def at(moment):
        return nullcontext() if moment is None else LIBRARIES[library](moment)

    found = []
    for cache in either:
        with sections.opened(CLASS):
            with at(places[0]):
                cache.set("key", 1, timeout)
            with sections.opened(TEST), at(places[1]):
                seen = [cache.get("key")]
                with sections.opened(BLOCK):
                    seen.append(cache.get("key"))
            seen.append(cache.get("key"))
        found.append(seen)
    assert found[0] == found[1]


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("steps", [(59, 2), (30, 29, 2), (1, 58, 1)])
def test_a_clock_that_is_set_on_lets_an_entry_expire_at_its_time(
    sections, opened, library, steps
):
    cache = opened("custom")
    with LIBRARIES[library](PAST) as move, sections.opened(CLASS):
        cache.set("key", 1, 60)
        with sections.opened(TEST):
            for step in steps[:-1]:
                move(step)
                assert cache.get("key") == 1
            move(steps[-1])
            assert cache.get("key") is None


def test_a_second_is_not_cut_down_to_nothing(sections, opened):
    cache = opened("custom", cache_class=ServersCache)
    with sections.opened(CLASS):
        cache.set("key", 1, 1)
        with sections.opened(TEST):
            assert cache.get("key") == 1


class CountingCache(DictionaryCache):
    """It names the key that it has made."""

    def incr(self, key, delta=1, version=None):
        raise KeyError(self.make_and_validate_key(key, version), delta)

    async def aincr(self, key, delta=1, version=None):
        self.incr(key, delta, version)


@pytest.mark.parametrize("is_isolated", [True, False])
def test_an_error_of_counting_names_the_users_key(sections, opened, is_isolated):
    cache = opened("custom", cache_class=CountingCache, is_isolated=is_isolated)
    with sections.opened(TEST):
        for count in (cache.incr, lambda key: asyncio.run(cache.aincr(key))):
            with pytest.raises(KeyError) as caught:
                count("key")
            assert caught.value.args == (":1:key", 1)


def test_what_a_killed_run_left_in_a_custom_backend_is_purged(
    settings, monkeypatch, tmp_path, request
):
    monkeypatch.setenv(journal.DIRECTORY_VARIABLE, str(tmp_path / "state"))
    location = f"purged-{request.node.name}"
    backend = "tests.shared_caches.DictionaryCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": location}}
    cache = DictionaryCache(location, {})
    cache.entries.update({"abcdef000001:1:key": (1, None), ":1:key": (2, None)})
    from ci_cache_isolation.isolation.dialects import dialect_of  # noqa: PLC0415

    about = dialect_of(DictionaryCache).about("default", cache)
    book = journal.Journal()
    book.note(about, "abcdef000001:1:key")
    book.leave()
    monkeypatch.setattr(journal, "process_token", lambda: "another")
    (purged,) = purge()
    assert (purged.names, purged.error) == (1, "")
    assert list(dictionaries[location]) == [":1:key"]


def test_what_one_of_a_servers_caches_has_left_by_the_thousand_does_not_wait(
    sections, opened
):
    one, other = opened("custom", location="both"), opened("custom", location="both")
    with sections.opened(CLASS):
        with sections.opened(TEST):
            one.set("few", 1)
        assert len(one.entries) == 1
        with sections.opened(TEST):
            other.set_many(dict.fromkeys(map(str, range(BATCH)), 1))
        assert one.entries == {}


class NativeCache(DictionaryCache):
    """Clears by a coroutine of its own, and has it put on each object."""

    def __init__(self, location, params):
        super().__init__(location, params)
        if params.get("is_bound"):
            self.aclear = self.aclear

    async def aclear(self):
        self.entries.clear()


@pytest.mark.parametrize("is_bound", [True, False])
@pytest.mark.parametrize("is_isolated", [True, False])
def test_a_native_aclear_empties_the_tests_section_only(
    opened, sections, locations, is_isolated, is_bound
):
    location = locations("custom")
    cache, theirs = (
        opened(
            "custom",
            location=location,
            is_isolated=each,
            cache_class=NativeCache,
            is_bound=is_bound,
        )
        for each in (is_isolated, False)
    )
    theirs.set("theirs", 1)
    with sections.opened(CLASS):
        cache.set("key", 1)
        with sections.opened(TEST):
            asyncio.run(cache.aclear())
            assert cache.get("key") is None
        assert (cache.get("key") == 1) is is_isolated
    assert (theirs.get("theirs") == 1) is is_isolated
