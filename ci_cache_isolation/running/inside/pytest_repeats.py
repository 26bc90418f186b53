"""Plugins of pytest that repeat tests: off in our runs, since they hide what is met.

A test that fails at what another one left, and removes it, passes when it is repeated.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import pytest

__all__ = ["registered", "remark", "switch_off"]

_OFF = pytest.StashKey[list["_Plugin"]]()
_REMARK = (
    "Tests are not repeated here, whatever {plugins} is asked for: one that passes the "
    "second time would hide what it met the first time."
)


class _Plugin(NamedTuple):
    """A plugin by its module, its name, its marker and the options that turn it on."""

    module: str
    name: str
    marker: str
    options: tuple[tuple[str, int], ...]
    """Each with the value at which nothing is repeated."""


_PLUGINS = (
    _Plugin(
        *("pytest_rerunfailures", "pytest-rerunfailures", "flaky(reruns=1): repeated"),
        (("reruns", 0),),
    ),
    _Plugin(
        *("pytest_repeat", "pytest-repeat", "repeat(n): run n times"), (("count", 1),)
    ),
    _Plugin(
        *("flaky.flaky_pytest_plugin", "flaky", "flaky(max_runs=2): repeated"),
        (("force_flaky", 0),),
    ),
)


def switch_off(config: pytest.Config) -> None:
    """Take them out, before they are configured: one of them starts a thread then.

    Their options stay known, as addopts may have them.
    """
    manager = config.pluginmanager
    found = []
    for each in _PLUGINS:
        for plugin in manager.get_plugins():
            if getattr(plugin, "__name__", "") == each.module:
                manager.unregister(plugin)
                found.append(each)
    config.stash[_OFF] = found


def registered(config: pytest.Config) -> None:
    """Have their markers known, which they no longer tell of themselves."""
    for each in config.stash.get(_OFF, []):
        config.addinivalue_line("markers", each.marker)


def remark(config: pytest.Config, items: Iterable[pytest.Item]) -> str:
    """Return a line about those that would have repeated tests, empty for none."""
    off = config.stash.get(_OFF, [])
    marked = {
        mark.name for item in (items if off else ()) for mark in item.iter_markers()
    }
    named = [
        each.name
        for each in off
        if each.marker.partition("(")[0] in marked
        or any(
            (getattr(config.option, option, None) or none) != none
            for option, none in each.options
        )
    ]
    return _REMARK.format(plugins=" or ".join(named)) if named else ""
