"""The one switch of this process: the stack of scopes, and whether it is in use."""

from __future__ import annotations

import os
import sys
import unittest
from collections.abc import Mapping
from contextlib import AbstractContextManager

from django.conf import settings
from django.core.cache import DEFAULT_CACHE_ALIAS, CacheHandler, caches
from django.utils.module_loading import import_string

from ci_cache_isolation.errors import IsolationError, NotActiveError
from ci_cache_isolation.isolation import (
    hook,
    inherited,
    listeners,
    needed,
    notices,
    unittest_hook,
)
from ci_cache_isolation.isolation.environment import Enabled
from ci_cache_isolation.isolation.options import (
    Choice,
    EntryPointInputs,
    IsolateArguments,
    IsolationOptions,
    check_store,
    check_stores,
    choices,
    enabled,
    sources_of,
)
from ci_cache_isolation.isolation.process import after_fork, new_lock
from ci_cache_isolation.isolation.process_state import STATE, Kept
from ci_cache_isolation.isolation.registering import forgetting, register_state
from ci_cache_isolation.isolation.stack import ScopeStack
from ci_cache_isolation.isolation.stores import (
    KEYSPACE,
    NONE,
    Store,
    name_for,
    store_class,
)
from ci_cache_isolation.isolation.stores.memory import MemoryStore

__all__ = [
    "STACK",
    "ask",
    "chosen",
    "current_section",
    "finish",
    "inputs",
    "install",
    "is_installed",
    "kept",
    "put_back",
    "shared_with_children",
    "start",
    "state",
    "store_for",
    "store_named",
    "uninstall",
]


RUN_VARIABLE = "CI_CACHE_ISOLATION_RUN"
"""Is set while tests run: a program that a test starts is no server of somebody's."""

_MEMORY = MemoryStore()
STACK = ScopeStack([_MEMORY])
_by_name: dict[str, Store] = dict.fromkeys(_MEMORY.names, _MEMORY)
_making = new_lock(sys.modules[__name__], "_making")
_FOUND_ANYWAY = {
    "django.core.cache.backends.dummy.DummyCache",
    "django.core.cache.backends.locmem.LocMemCache",
}
_NOT_ISOLATED = (
    "Cache {alias!r} is not isolated: there is no store for its backend {backend}. "
    "Tests and processes meet each other's entries in it. "
    "Use LocMemCache for it in your test settings, or make its tests clean up."
)
_BYPASSED = (
    "Cache isolation was switched on ({source}), but {what} was replaced by other code "
    "({by}): tests would silently share their caches. "
    "Have that code call what it replaces, or say --no-cache-isolation or "
    "CI_CACHE_ISOLATION=off."
)


def install(
    *, command_line: bool | None = None, ini: str | Mapping[str, str] | None = None
) -> Enabled:
    """Switch isolation on in this process, for any test runner; again is harmless.

    From now on every unittest suite that runs here opens and closes scopes. Where
    ``CI_CACHE_ISOLATION`` or another option says off, nothing is switched on. The
    return value says which, and who said so. `OptionError` where an option is neither.
    What an entry point was told holds for the whole process, whoever asks after it.
    """
    if command_line is not None or ini:
        told = {"enabled": ini} if isinstance(ini, str) else dict(ini or {})
        STATE.inputs = EntryPointInputs(command_line, told, STATE.inputs.asked)
    sources, known = sources_of(STATE.inputs.asked), STATE.resolved
    if (
        known is not None
        and known[0] is STATE.inputs
        and known[1] == sources
        and known[2].value == STATE.is_installed
    ):
        resolved = known[2]
    else:
        resolved = _settle()
        STATE.resolved = STATE.inputs, sources, resolved
    if resolved.value:
        _renew_once()
    if resolved.value and not STATE.is_started and RUN_VARIABLE in os.environ:
        # A test has started this process: it works in sections of its own, or in those
        # of the test.
        start(resolved)
    return resolved


def _settle() -> Enabled:
    """Resolve the options, and follow them."""
    resolved = state()
    if resolved.value:
        STATE.options = choices(ini=STATE.inputs.ini, asked=STATE.inputs.asked)
        STACK.granularity = STATE.options.granularity
        STACK.forget = forgetting(STATE.options)
        for store in STACK.stores:
            store.command = STATE.options.server.value
    if resolved.value and not STATE.is_installed:
        hook.watch(_adopt, _expect)
        _adopt_open()
        unittest_hook.attach(STACK, _is_enabled)
        STATE.is_installed = True
    elif not resolved.value and STATE.is_installed:
        _switch_off()
    _listen(resolved)
    return resolved


def state() -> Enabled:
    """Return whether caches are to be isolated, as entry points and options say it."""
    told = STATE.inputs
    return enabled(command_line=told.command_line, ini=told.ini.get("enabled"))


def ask(asked: IsolateArguments) -> None:
    """Take note of what `isolate()` was given."""
    told = STATE.inputs
    STATE.inputs = EntryPointInputs(told.command_line, told.ini, asked)


def start(resolved: Enabled) -> None:
    """Take note that tests are about to run, and make sure that all is in place.

    What is stored from now on outside of all tests belongs to this process alone.
    `NotActiveError` where isolation was switched on and can't work; `OptionError`
    where options speak of caches that there are not.
    """
    # A fork is asked for it when the options were resolved long ago.
    _listen(resolved)
    if not resolved.value:
        return
    STATE.is_started = True
    os.environ[RUN_VARIABLE] = "1"
    check_stores(chosen())
    register_state(chosen(), STACK)
    if not STACK.path:
        needed.load_backends()
        needed.check()
        for what, found, is_reached in (
            (
                "CacheHandler.create_connection",
                CacheHandler.create_connection,
                hook.is_watching,
            ),
            ("TestSuite.run", unittest.TestSuite.run, unittest_hook.is_attached),
        ):
            if not is_reached():
                by = f"{found.__module__}.{found.__qualname__}"
                raise NotActiveError(
                    _BYPASSED.format(source=resolved.source, what=what, by=by)
                )
    for store in STACK.stores:
        store.activate()


def _listen(resolved: Enabled) -> None:
    """Have what the environment asks for listen to scopes and caches, once."""
    if STACK.listener is None and (listener := listeners.asked(resolved)) is not None:
        STACK.listener = listener
        _adopt_open()


def finish() -> None:
    """Tidy up what this process stored: for one that leaves without exit handlers."""
    for store in STACK.stores:
        store.finish()


def shared_with_children() -> AbstractContextManager[None]:
    """Let processes that are started inside work in the sections of this test.

    ``with shared_with_children(): ...`` reaches forks, spawned processes and programs
    whose settings switch isolation on; what they store, the test sees, and it is gone
    with the rest. Entries of LocMemCache can't be shared between processes.
    """
    return store_named(KEYSPACE).share()


def uninstall() -> None:
    """Switch isolation off, whatever was said: plain Django is back."""
    STATE.inputs = EntryPointInputs()
    STACK.move_to(())
    _switch_off()


def kept() -> Kept:
    """Return where the switch stands, for `put_back`."""
    return Kept(STATE.inputs, STATE.is_installed)


def put_back(kept: Kept) -> None:
    """Forget what was said since: for a run inside a run, when it is over."""
    STATE.inputs = kept.inputs
    if kept.is_installed:
        install()
    elif STATE.is_installed:
        _switch_off()


def inputs() -> EntryPointInputs:
    """Return what the entry points have said so far."""
    return STATE.inputs


def is_installed() -> bool:
    """Return whether isolation is switched on in this process."""
    return STATE.is_installed


def chosen() -> IsolationOptions:
    """Return how caches are isolated, as options say it."""
    return STATE.options or choices(ini=STATE.inputs.ini, asked=STATE.inputs.asked)


def store_for(alias: str, backend: type) -> tuple[str | None, Choice | None]:
    """Return the name of an alias's store, and the option that named it, if any."""
    choice = chosen().stores.get(alias)
    return (name_for(backend), None) if choice is None else (choice.value, choice)


def current_section(alias: str = DEFAULT_CACHE_ALIAS) -> str | None:
    """Return the id of the section that an alias uses now, None if it has none.

    At most 12 characters of 0-9a-z, the same until the scope ends or the cache is
    cleared, in no other process, later ones sorting behind earlier ones: fit for a name
    of your own in a test. The alias is not opened. ``InvalidCacheBackendError`` for one
    that is not configured.
    """
    if alias not in caches.settings:
        raise caches.exception_class(f"The connection '{alias}' doesn't exist.")
    backend = caches.settings[alias]["BACKEND"]
    try:
        name, _ = store_for(alias, import_string(backend))
    except ImportError as error:
        text = f"Could not find backend '{backend}': {error}"
        raise caches.exception_class(text) from error
    if not STATE.is_installed or name is None:
        return None
    return store_named(name).section_id(alias, STACK.number)


def _after_fork() -> None:
    """Renew what was inherited, once this process is known to run tests.

    Workers are forked by a process that runs none itself; and so are those of a server,
    whose settings may switch isolation on.
    """
    if STATE.is_installed and (STATE.is_started or STACK.path):
        _renew_once()


after_fork(_after_fork)


def _renew_once() -> None:
    if STATE.is_fresh_fork:
        STATE.is_fresh_fork = False
        inherited.renew()


def _is_enabled() -> bool:
    """Decide once more when a suite begins: settings are there to be asked by now.

    A run that can't be as it was asked for ends with a message, not with a traceback.
    """
    try:
        resolved = install()
        start(resolved)
    except IsolationError as error:
        raise SystemExit(f"ci-cache-isolation: {error}") from None
    return resolved.value


def _switch_off() -> None:
    unittest_hook.detach()
    hook.unwatch()
    STACK.forget = None
    for store in STACK.stores:
        store.deactivate()
    os.environ.pop(RUN_VARIABLE, None)
    STATE.is_installed = STATE.is_started = False


def store_named(name: str) -> Store:
    """Return a store, made when a cache first needs it: tests pay for no other."""
    with _making:
        if name not in _by_name:
            store = store_class(name)()
            store.command = chosen().server.value
            if store.has_sections:
                STACK.take_in(store)
                if STATE.is_started:
                    store.activate()
            _by_name.update(dict.fromkeys(store.names, store))
    return _by_name[name]


def _expect(alias: str, backend: str) -> None:
    """Prepare the class of a cache that is about to be opened, if there is one."""
    try:
        cache_class = import_string(backend)
    except ImportError:
        # For Django to say, in its own words.
        return
    if isinstance(cache_class, type):
        name, _ = store_for(alias, cache_class)
        if name is not None:
            store_named(name).prepare(cache_class)


def _adopt(alias: str, cache: object) -> None:
    inherited.note(alias, cache)
    _take(alias, cache)
    if STACK.listener is not None:
        STACK.listener.take(alias, cache)


def _take(alias: str, cache: object) -> None:
    cache_class = type(cache)
    name, choice = store_for(alias, cache_class)
    if choice is not None:
        check_store(alias, cache_class, choice)
    if name == NONE:
        _MEMORY.leave(cache)
    elif name is None or not store_named(name).adopt(alias, cache):
        backend = f"{cache_class.__module__}.{cache_class.__qualname__}"
        notices.note(_NOT_ISOLATED.format(alias=alias, backend=backend))


def _adopt_open() -> None:
    """Adopt the caches that were opened before, whoever holds them."""
    opened = list(hook.open_caches())
    known = {id(cache) for _, cache in opened}
    for alias, cache in opened:
        _adopt(alias, cache)
    if not _need_finding():
        return
    for cache in hook.live_caches():
        if id(cache) not in known:
            held_for = hook.alias_of(cache)
            if held_for is not None:
                _adopt(held_for, cache)


def _need_finding() -> bool:
    """Return whether any cache has to be known that somebody may hold.

    Those of Django's own in memory share dictionaries that are known anyway.
    """
    if not settings.configured:
        return False  # nor could one be told which alias it is for
    if chosen().stores or STACK.listener is not None:
        return True
    return any(
        conf.get("BACKEND") not in _FOUND_ANYWAY for conf in caches.settings.values()
    )
