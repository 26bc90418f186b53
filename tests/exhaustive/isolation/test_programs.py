"""Random programs on every store: isolated caches do what plain ones do."""

import time

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.programs import (
    DictionaryModel,
    FilesModel,
    MemcachedModel,
    MemoryModel,
    Programs,
    RedisModel,
    TableModel,
)
from tests.shared_caches import DATABASES, KIND_PARAMS, REDIS_KINDS


@pytest.fixture
def minutes(request):
    """How long the programs of one store are run."""
    return request.config.getoption("--program-minutes") / (1 + len(KIND_PARAMS))


def run(minutes, **world):
    """Run programs until the time is over; the seed of each batch is its number."""
    machine = type("Programs", (Programs,), world)
    until = time.monotonic() + 60 * minutes
    batches = 0
    while not batches or time.monotonic() < until:
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=20,
                stateful_step_count=40,
                deadline=None,
                database=None,
            ),
        )
        batches += 1


def test_a_memory_does_what_it_does_plainly(minutes, stack, new_cache):
    run(minutes, cache=new_cache(), sections=stack, model=MemoryModel())


@pytest.mark.parametrize("kind", KIND_PARAMS)
def test_what_is_stored_elsewhere_does_what_it_does_plainly(
    minutes, kind, opened, sections, locations
):
    world = {"cache": opened(kind), "sections": sections}
    if kind in DATABASES:
        # Another thread has another connection, in no transaction.
        world["ways"] = ("directly",)
        world["model"] = TableModel(opened(kind, is_isolated=False))
    elif kind == "files":
        world["model"] = FilesModel(opened(kind, is_isolated=False))
    elif kind == "custom":
        world["model"] = DictionaryModel(opened(kind, is_isolated=False))
    elif kind in REDIS_KINDS:
        world["model"] = redis_model(kind, opened, locations)
    else:
        plain = opened(kind, is_isolated=False, KEY_PREFIX="plain")
        world["model"] = MemcachedModel(plain)
    run(minutes, **world)


def redis_model(kind, opened, locations):
    """Return a model in databases that no other test uses."""
    if "valkey" in kind:
        from valkey import Valkey as Client  # noqa: PLC0415
    else:
        from redis import Redis as Client  # noqa: PLC0415
    given = locations(kind)
    urls = given if isinstance(given, list) else [f"{given}/6"]
    location = urls if isinstance(given, list) else urls[0]
    plain = opened(kind, is_isolated=False, location=location)
    return RedisModel(plain, [Client.from_url(url) for url in urls])
