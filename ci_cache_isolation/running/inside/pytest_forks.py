"""pytest as a server of forks: a plugin, for ``-p``.

Collection and the fixtures of databases are done once, in the parent. Fixtures of the
session that only some tests ask for are set up in each fork that needs them.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from _pytest.config import create_terminal_writer
from django.conf import settings
from django.db import connections

from ci_cache_isolation.running.events import Events
from ci_cache_isolation.running.inside import pytest_repeats
from ci_cache_isolation.running.inside.child import Suite
from ci_cache_isolation.running.inside.databases import made, watch_set_up
from ci_cache_isolation.running.inside.pytest_events import EventsPlugin, message_of
from ci_cache_isolation.running.inside.pytest_tests import beside, described
from ci_cache_isolation.running.inside.serving import refuse, serve
from ci_cache_isolation.running.jobs import FOLDER_VARIABLE
from ci_cache_isolation.running.output import telling_line

_DATABASES = "django_db_setup"
SCOPES_PLUGIN = "ci_cache_isolation_scopes"
"""The entry point's, and its name there."""


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config,
) -> Generator[None, object, object]:
    """Measure no coverage: what forks measure is never saved. Repeat no test."""
    early_config.known_args_namespace.no_cov = True
    pytest_repeats.switch_off(early_config)
    return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Have nothing stop, reorder or report; what is stored is gone in the end."""
    pytest_repeats.registered(config)
    option = config.option
    option.maxfail = 0
    # Of failures no more than a line is told; the sources around it take 30 ms to show.
    option.tbstyle = "line"
    if hasattr(option, "randomly_reorganize"):
        option.randomly_reorganize = False
        if option.randomly_seed == "default":
            # A job that is run again, by another server or from its file, shall meet
            # the same numbers.
            seed = os.environ.get("PYTHONHASHSEED", "")
            option.randomly_seed = int(seed) if seed.isdigit() else 0
    if hasattr(option, "cache_isolation"):
        # The environment says it.
        option.cache_isolation = None
    if hasattr(option, "xmlpath"):
        option.xmlpath = None
    # pytest would make a numbered directory in each fork, and keep it.
    option.basetemp = os.environ.pop(FOLDER_VARIABLE)
    config.add_cleanup(lambda: shutil.rmtree(option.basetemp, ignore_errors=True))
    watch_set_up()
    config.pluginmanager.register(ForksPlugin(), "ci_cache_isolation_forks")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, object, object]:
    """Stay in one process, also where the user's options ask for workers."""
    if hasattr(config.option, "numprocesses"):
        config.option.numprocesses = None
        config.option.dist = "no"
        config.option.tx = []
    return (yield)


class ForksPlugin:
    """Serves in place of running the tests."""

    def __init__(self) -> None:
        self._is_fork = False
        self._errors: list[str] = []
        self._not_loaded: dict[str, str] = {}
        self._set_up: list[pytest.FixtureDef[Any]] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Set up what forks have in common, then serve until the client hangs up."""
        if (
            session.testsfailed
            and not session.config.option.continue_on_collection_errors
        ):
            refuse("tests can't be loaded", self._not_loaded)
            return True
        config = session.config
        if session.items:
            _run_common(session)
        if self._errors:
            refuse(telling_line(self._errors))
            return True
        with _silent(config):
            serve(
                Suite(
                    {item.nodeid: item for item in session.items},
                    self._run,
                    lambda: queries_allowed(config),
                    described(session.items),
                    remark=pytest_repeats.remark(config, session.items),
                ),
                made() or _used(session.items),
            )
        return True

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Remember what can't be collected."""
        if report.failed:
            reason = telling_line(str(report.longrepr).splitlines())
            self._not_loaded[report.nodeid] = reason

    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> None:
        """Remember what is set up in the parent."""
        if not self._is_fork:
            self._set_up.append(fixturedef)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember what can't be set up in the parent."""
        if not self._is_fork and report.failed:
            self._errors.append(message_of(report))

    def _run(self, items: Sequence[pytest.Item], events: Events) -> None:
        self._is_fork = True
        session = items[0].session
        plugins = session.config.pluginmanager
        telling = EventsPlugin(events)
        plugins.register(telling)
        # What the parent has set up is not a fork's to take down; what it sets up is.
        finalizers, _ = session._setupstate.stack.get(session, ([], None))  # noqa: SLF001
        finalizers.clear()
        for fixture in self._set_up:
            # pytest 8.1 puts them among the session's whenever one is asked for.
            fixture._finalizers.clear()  # noqa: SLF001
        _have_own_directory(session.config)
        names: dict[int, dict[str, Any]] = {}
        for item, after in pairwise([*items, None]):
            assert item is not None
            if (dtest := getattr(item, "dtest", None)) is not None:
                # A doctest forgets its module's names when it has run.
                dtest.globs.update(names.setdefault(id(item), dict(dtest.globs)))
            next_item = beside(item) if after is item else after
            protocol = item.config.hook.pytest_runtest_protocol
            protocol(item=item, nextitem=next_item)
        # A fork may run them several times.
        plugins.unregister(telling)


def _have_own_directory(config: pytest.Config) -> None:
    """Make temporary directories beside those of other forks.

    pytest empties the one that it was given when it first uses it.
    """
    factory: Any = getattr(config, "_tmp_path_factory", None)
    if factory is not None and factory._basetemp is None:  # noqa: SLF001
        factory._given_basetemp = Path(config.option.basetemp, str(os.getpid()))  # noqa: SLF001


@contextmanager
def _silent(config: pytest.Config) -> Iterator[None]:
    """Have the terminal's reporter write nothing. It stays: assertions need it."""
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None:
        yield
        return
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        writer, reporter._tw = reporter._tw, create_terminal_writer(config, nowhere)  # noqa: SLF001
        try:
            yield
        finally:
            reporter._tw = writer  # noqa: SLF001


def _common(request: pytest.FixtureRequest) -> None:
    """Ask for the databases, where pytest-django is in use."""
    try:
        request.getfixturevalue(_DATABASES)
    except pytest.FixtureLookupError as error:
        if error.argname != _DATABASES:
            raise


def _run_common(session: pytest.Session) -> None:
    """Run a made-up test, so that what it asks for stays set up for the session.

    It is made as pytest makes one, so fixtures that the project has put in the place of
    pytest-django's hold, and those of the session that every test uses are set up too.
    """
    item = pytest.Function.from_parent(session, name="databases", callobj=_common)
    protocol = session.config.hook.pytest_runtest_protocol
    protocol(item=item, nextitem=session.items[0])


def _used(items: Sequence[pytest.Item]) -> Iterable[str]:
    """Return the databases that tests may use, where none was made for them."""
    if not settings.configured:
        return ()
    fixtures = sys.modules.get("pytest_django.fixtures")
    # pytest-django 4.11 sets up only what it finds here.
    find = getattr(fixtures, "_get_databases_for_setup", None)
    return connections if find is None else find(items)[0]


def queries_allowed(config: pytest.Config) -> AbstractContextManager[Any]:
    """Let what was stored in a database be deleted, where pytest-django forbids it."""
    plugin = sys.modules.get("pytest_django.plugin")
    blocker = plugin and config.stash.get(plugin.blocking_manager_key, None)
    return blocker.unblock() if blocker else nullcontext()
