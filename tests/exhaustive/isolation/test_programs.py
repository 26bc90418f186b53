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
    """How long random programs of one store are run; None for some that are fixed."""
    together = request.config.getoption("--program-minutes")
    return together and together / (1 + len(KIND_PARAMS))


def run(minutes, **world):
    """Run programs until the time is over."""
    machine = type("Programs", (Programs,), world)
    options = settings(
        max_examples=20 if minutes else 250,
        stateful_step_count=40,
        derandomize=not minutes,
        deadline=None,
        database=None,
    )
    until = time.monotonic() + 60 * (minutes or 0)
    run_state_machine_as_test(machine, settings=options)
    while time.monotonic() < until:
        run_state_machine_as_test(machine, settings=options)


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
        # It keeps what has expired, which is there again when the clock is set back. A
        # section has not brought it over then; Django's own backends have deleted it.
        world["moves_clock"] = False
        world["model"] = DictionaryModel(opened(kind, is_isolated=False))
    elif kind in REDIS_KINDS:
        world["model"] = redis_model(kind, opened, locations)
    else:
        prefix = MemcachedModel.PREFIX
        plain = opened(kind, is_isolated=False, KEY_PREFIX=prefix)
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
