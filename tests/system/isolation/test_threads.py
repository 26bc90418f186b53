"""Eight threads on a real server do what they do to a plain cache."""

import random
import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.shared_caches import CLASS, DATABASES, KIND_PARAMS, TEST

pytestmark = pytest.mark.usefixtures("nothing_to_say")

THREADS = 8
KEYS = 60


def at_once(count, work):
    """Have threads do a piece of work each, all of them from one moment on."""
    beginning = threading.Barrier(count)

    def begin(number):
        beginning.wait(30)
        return work(number)

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(begin, range(count)))


@pytest.fixture(params=[kind for kind in KIND_PARAMS if kind not in DATABASES])
def caches(request, opened, locations):
    """One for each thread, as Django opens them. In a table, each has a connection."""
    location = locations(request.param)
    return [
        opened(request.param, location=location, max_entries=10_000)
        for _ in range(THREADS)
    ]


def test_an_entry_that_was_deleted_while_others_read_it_stays_deleted(sections, caches):
    keys = [f"key-{number}" for number in range(KEYS)]
    came_back = defaultdict(list)

    def work(number):
        cache = caches[number]
        order = keys[:]
        random.Random(number // 2).shuffle(order)
        for key in order:
            if number % 2:
                cache.get(key)
            else:
                cache.delete(key)
                if cache.get(key) is not None:
                    came_back[key].append(number)

    cache = caches[0]
    with sections.opened(CLASS):
        cache.set_many(dict.fromkeys(keys, 1), 1000)
        with sections.opened(TEST):
            at_once(THREADS, work)
            assert came_back == {}
            assert cache.get_many(keys) == {}
        assert cache.get_many(keys) == dict.fromkeys(keys, 1)


def test_what_was_stored_while_others_read_it_stays(sections, caches):
    keys = [f"key-{number}" for number in range(KEYS)]
    lost = []

    def work(number):
        cache = caches[number]
        for key in keys:
            if number % 2:
                cache.get(key)
            else:
                mine = f"{key}-{number}"
                cache.set(mine, number)
                cache.set(key, "new")
                found = cache.get(key), cache.get(mine)
                if found != ("new", number):
                    lost.append((key, found))

    cache = caches[0]
    with sections.opened(CLASS):
        cache.set_many(dict.fromkeys(keys, "old"), 1000)
        with sections.opened(TEST):
            at_once(THREADS, work)
            assert lost == []
            assert cache.get_many(keys) == dict.fromkeys(keys, "new")
