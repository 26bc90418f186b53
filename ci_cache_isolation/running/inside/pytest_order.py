"""The order of our choosing under pytest: a plugin, for ``-p``.

The order is imposed before all other hooks see the items, so that plugins which group
tests with a stable sort, as pytest-django does, still have the last word.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from ci_cache_isolation.running.events import EventFile
from ci_cache_isolation.running.inside import pytest_repeats
from ci_cache_isolation.running.inside.imposed import (
    exactly,
    imposed_order,
    in_order,
    settings_module,
    shared_between_runs,
)
from ci_cache_isolation.running.inside.pytest_events import EventsPlugin
from ci_cache_isolation.running.inside.pytest_tests import beside, described


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config,
) -> Generator[None, object, object]:
    """Repeat no test."""
    pytest_repeats.switch_off(early_config)
    return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Keep pytest-randomly to reseeding; tell events, but not in xdist's workers."""
    pytest_repeats.registered(config)
    imposed = imposed_order()
    if hasattr(config.option, "randomly_reorganize"):
        config.option.randomly_reorganize = False
        # An order that is run again shall meet the same random numbers.
        if imposed is not None and config.option.randomly_seed == "default":
            config.option.randomly_seed = int(imposed.hash_seed)
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(
            FilePlugin(EventFile()), "ci_cache_isolation_record"
        )


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, object, object]:
    """Keep an order in one process, also where the user's options ask for workers."""
    imposed = imposed_order()
    is_whole = imposed is not None and imposed.processes == 1
    if is_whole and hasattr(config.option, "numprocesses"):
        config.option.numprocesses = None
        config.option.dist = "no"
        config.option.tx = []
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Generator[None]:
    """Put the items in order; into an exact one when all others have had their say."""
    items[:] = in_order(items, _id)
    try:
        return (yield)
    finally:
        exact = exactly(items, _id, lambda item: [beside(item), item])
        if exact is not None:
            items[:] = exact


class FilePlugin(EventsPlugin):
    """Writes what becomes of each test, and of the whole run."""

    events: EventFile

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Tell all tests. Never called under xdist, where the workers know them."""
        self.events.collected(
            described(session.items),
            settings=settings_module(),
            shared=shared_between_runs(),
        )

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, exitstatus: Any) -> None:
        """Tell that the run came to its end, whatever it found."""
        if int(exitstatus) in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            self.events.finished()


def _id(item: pytest.Item) -> str:
    return item.nodeid
