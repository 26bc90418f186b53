"""Threads in one section do what they would do to a plain cache, however they meet."""

import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from ci_cache_isolation.isolation.keyspace import KeySpace
from ci_cache_isolation.isolation.sections import Frames, Section, Use
from ci_cache_isolation.isolation.stores import sectioned
from ci_cache_isolation.isolation.turns import Turns
from tests.shared_caches import CLASS, TEST, DictionaryCache, leave

pytestmark = pytest.mark.usefixtures("nothing_to_say")

# How long one thread has to overtake another that is in the middle of something.
OVERTAKING = 0.2


class Held:
    """A function that goes on when it is told to."""

    def __init__(self, function):
        self.function = function
        self.is_there, self.may_go_on = threading.Event(), threading.Event()

    def __call__(self, *args, **kwargs):
        if not self.is_there.is_set():
            self.is_there.set()
            assert self.may_go_on.wait(10)
        return self.function(*args, **kwargs)


@contextmanager
def meanwhile(held, first):
    """Have one thread stop in a function; go on when the block has had its time."""
    with ThreadPoolExecutor(2) as threads:
        beginning = threads.submit(first)
        assert held.is_there.wait(10)
        done = []
        yield lambda call: done.append(threads.submit(call))
        for each in done:
            threading.Thread(target=each.exception, daemon=True).start()
        time.sleep(OVERTAKING)
        held.may_go_on.set()
        for each in (beginning, *done):
            each.result(10)


@pytest.fixture(params=["custom", "files"])
def copied(request, opened, monkeypatch):
    """A cache, and what stops the first thread that brings an entry over."""
    cache = opened(request.param)
    if request.param == "files":
        held = Held(shutil.copyfile)
        monkeypatch.setattr(shutil, "copyfile", held)
    else:
        held = Held(partial(DictionaryCache.add, cache))
        monkeypatch.setattr(DictionaryCache, "add", lambda _, *args: held(*args))
    return cache, held


@pytest.mark.parametrize(
    ("change", "left"),
    [
        (lambda cache: cache.delete("key"), None),
        (lambda cache: cache.delete_many(["key"]), None),
        (lambda cache: cache.set("key", "new"), "new"),
        (lambda cache: cache.touch("key", -1), None),
        (lambda cache: cache.incr("key"), 2),
        (lambda cache: cache.clear(), None),
    ],
    ids=["delete", "delete_many", "set", "touch", "incr", "clear"],
)
def test_what_a_thread_does_to_an_entry_is_not_undone_by_a_reader(
    sections, copied, change, left
):
    cache, held = copied
    with sections.opened(CLASS):
        cache.set("key", 1)
        with sections.opened(TEST):
            with meanwhile(held, lambda: cache.get("key")) as run:
                run(lambda: change(cache))
            assert cache.get("key") == left


def test_a_key_that_is_brought_over_keeps_no_other_waiting(sections, copied):
    cache, held = copied
    with sections.opened(CLASS):
        cache.set_many({"key": 1, "other": 2})
        with sections.opened(TEST), ThreadPoolExecutor(2) as threads:
            slow = threads.submit(cache.get, "key")
            assert held.is_there.wait(10)
            assert threads.submit(cache.get, "other").result(10) == 2
            held.may_go_on.set()
            assert slow.result(10) == 1


def test_a_file_that_is_being_copied_is_in_no_listing(sections, opened, monkeypatch):
    cache = opened("files")
    held = Held(shutil.copymode)
    monkeypatch.setattr(shutil, "copystat", held)
    with sections.opened(CLASS):
        cache.set("key", "x" * 1000)
        with sections.opened(TEST):
            with meanwhile(held, lambda: cache.get("key")):
                assert [*Path(cache._dir).glob("*")] == []
            assert cache.get("key") == "x" * 1000
            found = [each.name for each in Path(cache._dir).parent.iterdir()]
            assert len(found) == 2, found


def test_what_a_thread_stores_after_its_test_is_deleted_too(store, sections, opened):
    cache = opened("custom")
    (space,) = store._spaces.values()
    cache.set("key", 1)
    with sections.opened(CLASS):
        with sections.opened(TEST):
            section = space.current()
            cache.set("of-the-test", 1)
        sections.tidy()
        # As a thread does that has found its section before it ended.
        space.touch(section, ":1:key", cache, Use.READING)
        space.touch(section, ":1:late", cache, Use.STORING)
        cache.entries[section.id + ":1:late"] = 1, None
    leave(store)
    assert cache.entries == {}


def test_names_are_listed_while_others_are_added():
    section = Section(Frames().open[0], 1)
    is_over = threading.Event()

    def add():
        number = 0
        while not is_over.is_set():
            section.touched[str(number % 100_000)] = True
            number += 1
            if number % 100_000 == 0:
                section.touched = {}

    with ThreadPoolExecutor(1) as threads:
        adding = threads.submit(add)
        try:
            for _ in range(200):
                section.stored()
        finally:
            is_over.set()
        adding.result()


class SlowlyMade(KeySpace):
    def __init__(self, *args):
        time.sleep(0.05)
        super().__init__(*args)


def test_threads_that_open_a_cache_at_once_share_its_sections(
    store, sections, locations, monkeypatch
):
    location = locations("custom")
    opening = threading.Barrier(8)
    monkeypatch.setattr(sectioned, "KeySpace", SlowlyMade)

    def use(number):
        opening.wait(10)
        cache = DictionaryCache(location, {})
        store.adopt("default", cache)
        cache.set(f"key-{number}", number)
        opening.wait(10)
        return cache.get_many([f"key-{each}" for each in range(8)])

    with sections.opened(TEST), ThreadPoolExecutor(8) as threads:
        seen = list(threads.map(use, range(8)))
    assert seen == [{f"key-{number}": number for number in range(8)}] * 8
    assert len(store._spaces) == 1


def test_a_thread_that_is_within_a_turn_waits_for_no_other():
    turns = Turns()
    meeting = threading.Barrier(2)

    def work(first, second):
        with turns.of(first):
            meeting.wait(10)
            with turns.of(second):
                return True

    with ThreadPoolExecutor(2) as threads:
        done = [threads.submit(work, *pair) for pair in ("ab", "ba")]
        assert all(each.result(10) for each in done)
    assert turns._locks == {}
    with turns.of("a"), turns.of("a"):
        pass
    assert turns._locks == {}
