"""What ``cache-isolation doctor`` shows: every option, and what becomes of caches."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from ci_cache_isolation.errors import SettingsError
from ci_cache_isolation.isolation import journal, switch
from ci_cache_isolation.isolation.options import check_stores
from ci_cache_isolation.isolation.redaction import redacted
from ci_cache_isolation.isolation.stores import NONE, possible_names
from ci_cache_isolation.probing import Probed, ProbedAlias, Promise, State, probe
from ci_cache_isolation.project import Opened
from ci_cache_isolation.report.words import counted
from ci_cache_isolation.runner import IsolationMixin
from ci_cache_isolation.running.inside.preloading import client_module
from ci_cache_isolation.running.output import shown_error
from ci_cache_isolation.running.runners.django import DjangoRunner
from ci_cache_isolation.running.runners.pytest import PytestRunner
from ci_cache_isolation.running.runners.script import ScriptRunner

__all__ = ["diagnose", "probe_all"]

_NOBODY = "NOBODY: {missing}, so {command} runs without it"
_NO_CACHES = (
    "CACHES in the settings can't be used: {found}. This command shows what becomes of "
    "each cache there. Make it a dictionary with an entry for 'default' and a "
    "dictionary for each alias."
)
_TO_ADD = (
    "    add to your test settings, below CACHES:",
    "        from ci_cache_isolation.settings import isolate",
    "        CACHES = isolate(CACHES)",
)
_DEFAULT = "        from django.conf.global_settings import CACHES"
"""The line above these where settings have no CACHES."""
_AT_ONCE = 4
"""How many caches are probed at the same time."""
_UNKNOWN = Promise(
    11,
    "known",
    "every cache is isolated, or shared on purpose",
    State.BROKEN,
    reason="there is no store for its backend: tests meet each other's entries",
)
_TO_ADD_TO_FILE = (
    "    add to {file}, where its settings are configured:",
    "        from ci_cache_isolation import install",
    "        install()",
)


def diagnose(opened: Opened) -> tuple[list[str], bool]:
    """Return lines to show, and whether every cache is taken care of.

    `IsolationError` where options contradict what there is. No cache is opened.
    """
    state = switch.state()
    chosen = switch.chosen()
    check_stores(chosen)
    entry_points = _entry_points(opened)
    lines = [
        f"settings: {opened.settings or f'configured by {opened.file}'}",
        f"tests are run by: {_runner(opened)}",
        f"isolation: {state}",
        f"switched on by: {' and '.join(entry_points) or _nobody(opened)}",
        *([] if entry_points else _to_add(opened)),
        f"scope: {chosen.scope.value} ({chosen.scope.source})",
        f"server: {chosen.server.value or 'looked for'} ({chosen.server.source})",
        f"reset_memoised: {chosen.reset_memoised}",
        *(f"state: {each.value} ({each.source})" for each in chosen.state),
        *(f"known: {each.value} ({each.source})" for each in chosen.known),
    ]
    is_well = state.value and bool(entry_points)
    for alias, conf in _configured().items():
        text, is_isolated = _about(alias, str(conf.get("BACKEND", "")))
        is_well = is_well and is_isolated
        location = redacted(conf.get("LOCATION", ""))
        lines.append(f"cache {alias!r}: {text}")
        lines.append(f"    {conf.get('BACKEND')} {location}".rstrip())
    left = list(journal.dead())
    if left:
        names = counted(sum(len(each.names) for each in left), "name")
        lines.append(
            f"left by killed runs of yours, here or in other projects: {names}; "
            "cache-isolation purge deletes what its settings reach"
        )
    return lines, is_well


def probe_all(command: Sequence[str]) -> Iterator[Probed]:
    """Hold each promise against each cache, and yield what was found, in their order.

    ``command`` starts a process of a probe. No cache is opened in this one.
    """
    # Mostly it is waited for: for processes that start, and for entries that expire.
    with ThreadPoolExecutor(min(_AT_ONCE, os.cpu_count() or 1)) as pool:
        probing = [
            pool.submit(_probed, alias, conf, command)
            for alias, conf in caches.settings.items()
        ]
        try:
            for each in probing:
                yield each.result()
        finally:
            for each in probing:
                each.cancel()


def _probed(alias: str, conf: Mapping[str, Any], command: Sequence[str]) -> Probed:
    backend = str(conf.get("BACKEND", ""))
    location = redacted(conf.get("LOCATION", ""))
    try:
        cache_class = import_string(backend)
    except ImportError as error:
        about = ProbedAlias(alias, backend, location, None)
        return Probed(about, failure=f"can't be imported: {error}")
    name, choice = switch.store_for(alias, cache_class)
    possible = possible_names(cache_class) if isinstance(cache_class, type) else ()
    about = ProbedAlias(alias, backend, location, name, possible)
    if name is None:
        return Probed(about, promises=(_UNKNOWN,))
    if name == NONE:
        asked = "it keeps nothing" if choice is None else f"shared: {choice.source}"
        return Probed(about, left_alone=asked)
    return probe(about, command)


def _entry_points(opened: Opened) -> list[str]:
    """Return what switches isolation on in a test run of this project."""
    entry_points = []
    if switch.inputs().asked is not None:
        entry_points.append("isolate() in the settings")
    if opened.runner in {"", DjangoRunner.name}:
        # Django says what is wrong with it when tests are run.
        with suppress(ImportError, AttributeError, TypeError):
            if issubclass(import_string(settings.TEST_RUNNER), IsolationMixin):
                entry_points.append("TEST_RUNNER")
    if opened.entry_point:
        entry_points.append(opened.entry_point)
    return entry_points


def _configured() -> dict[str, dict[str, object]]:
    """Return the settings of all caches; no cache is opened."""
    try:
        found = dict(caches.settings)
        if not all(isinstance(each, Mapping) for each in found.values()):
            raise TypeError("a cache's settings are no dictionary")  # noqa: TRY301
    except (ImproperlyConfigured, TypeError, ValueError) as error:
        text = _NO_CACHES.format(found=shown_error(error))
        raise SettingsError(text) from None
    return found


def _runner(opened: Opened) -> str:
    if opened.runner == ScriptRunner.name:
        return f"{opened.file} (--runner {opened.runner})"
    return opened.runner or "unknown"


def _nobody(opened: Opened) -> str:
    missing, command = "neither isolate() nor TEST_RUNNER", "manage.py test"
    if opened.runner == PytestRunner.name:
        missing, command = "no isolate(), and -p no:ci_cache_isolation", "pytest"
    elif opened.runner == ScriptRunner.name:
        missing, command = "neither isolate() nor install()", opened.file
    return _NOBODY.format(missing=missing, command=command)


def _to_add(opened: Opened) -> list[str]:
    """Return the lines that switch isolation on, for the settings or what has them."""
    if not opened.settings:
        return [each.format(file=opened.file) for each in _TO_ADD_TO_FILE]
    first, *others = _TO_ADD
    has_caches = settings.is_overridden("CACHES")  # type: ignore[misc]
    return [first, *([] if has_caches else [_DEFAULT]), *others]


def _about(alias: str, backend: str) -> tuple[str, bool]:
    try:
        cache_class = import_string(backend)
    except ImportError as error:
        return f"can't be imported: {error}", False
    if isinstance(cache_class, type):
        client = client_module(cache_class).partition(".")[0]
        if client and find_spec(client) is None:
            return f"can't be used: {client} is not installed", False
    name, choice = switch.store_for(alias, cache_class)
    if name is None:
        return "NOT ISOLATED: there is no store for its backend", False
    source = "its backend" if choice is None else choice.source
    return f"{name} ({source})", True
