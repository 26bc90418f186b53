"""Errors and warnings say what they say without isolation, of every public method."""

import asyncio
import inspect
import warnings

import pytest

from tests.shared_caches import DATABASES, KIND_PARAMS, TEST

pytestmark = pytest.mark.usefixtures("nothing_to_say")

# Plain ones meet what other tests have left.
KEYS = ["said-a", "said-b"]
# What a method is given, by the names of its arguments.
GIVEN = {
    "key": KEYS[0],
    "name": KEYS[0],
    "keys": KEYS,
    "value": 1,
    "values": [1],
    "data": {KEYS[0]: 1},
    "mapping": {KEYS[0]: 1},
    "items": [(KEYS[0], 1)],
    "timeout": 5,
    "default": None,
    "pattern": "said-*",
    "search": "said-*",
    "src": KEYS[0],
    "dst": KEYS[1],
    "source": KEYS[0],
    "destination": KEYS[1],
    "dest": KEYS[1],
    "member": 1,
    "field": "f",
    "when": 2_000_000_000,
    "ttl": 5,
    "new_key": KEYS[1],
    "start": 0,
    "end": 1,
    "stop": 1,
    "min": 0,
    "max": 1,
    "count": 1,
    "amount": 1.0,
    "delta": 1,
}
# They speak to the whole server, wait for each other, or open what nobody closes.
LEFT_OUT = {"clear", "close", "flushdb", "lock", "get_lock"}
LEFT_OUT |= {"connect", "disconnect", "do_close_clients", "get_client"}


def public(owner):
    """Return the methods that code outside may call, by name."""
    return {
        name: getattr(owner, name)
        for name in sorted(dir(owner))
        if name[0] != "_"
        and name.removeprefix("a") not in LEFT_OUT
        and inspect.isroutine(inspect.getattr_static(type(owner), name, None))
    }


def arguments(method):
    given = []
    for name, each in inspect.signature(method).parameters.items():
        if each.kind is each.VAR_POSITIONAL:
            given.append(GIVEN["key"])
        elif each.default is each.empty and each.kind is each.POSITIONAL_OR_KEYWORD:
            given.append(GIVEN.get(name))
    return given


async def said(owner, name):
    """Call a method; return what was warned of and what was raised."""
    error = None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            method = getattr(owner, name)
            result = method(*arguments(method))
            if inspect.isawaitable(result):
                await result
            elif inspect.isgenerator(result):
                list(result)
        except Exception as raised:  # noqa: BLE001 - whatever a client raises
            error = type(raised), str(raised), str(raised.__cause__)
    warned = [each for each in caught if each.category is not ResourceWarning]
    return [str(each.message) for each in warned], error


async def prepare(cache, state):
    """Have keys be absent, or be of a kind that few methods take."""
    results = [cache.delete_many(KEYS)]
    if state == "text":
        results.append(cache.set(KEYS[0], "text"))
    for result in results:
        if inspect.isawaitable(result):
            await result


async def everything_said(cache, kind):
    found = {}
    for owner in {id(each): each for each in (cache, _client(cache))}.values():
        for name in public(owner):
            if kind in DATABASES and name.startswith("a") and name != "add":
                # Threads have connections of their own, which nobody closes.
                continue
            for state in ("absent", "text"):
                await prepare(cache, state)
                found[type(owner).__name__, name, state] = await said(owner, name)
    return found


def _client(cache):
    return getattr(cache, "client", cache)


def run(coroutine, kind):
    """Run what waits for nothing on a database without a loop, which it refuses."""
    if kind not in DATABASES:
        return asyncio.run(coroutine)
    with pytest.raises(StopIteration) as done:
        coroutine.send(None)
    return done.value.value


@pytest.mark.parametrize("kind", [*KIND_PARAMS, "django-valkey-async"])
def test_no_text_is_another_one_in_a_section(sections, kind, opened, locations):
    location = locations(kind)
    is_async = kind == "django-valkey-async"
    if is_async:
        # django-valkey mixes up pools.
        location = f"{location}/7"

    async def both():
        every = []
        for is_isolated in (False, True):
            cache = opened(
                kind, location=location, is_isolated=is_isolated, is_kept=not is_async
            )
            with sections.opened(TEST):
                every.append(await everything_said(cache, kind))
            if is_async:
                client = await cache.client.get_client()
                await client.connection_pool.disconnect()
        return every

    plain, isolated = run(both(), kind)
    assert any(error for _, error in plain.values())
    assert isolated == plain
