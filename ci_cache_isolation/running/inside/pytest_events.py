"""pytest's reports, told as events: a plugin, in cold processes and in forks alike."""

from __future__ import annotations

import pytest

from ci_cache_isolation.running.events import Events
from ci_cache_isolation.running.outcomes import FAILED, PASSED, SKIPPED
from ci_cache_isolation.running.output import one_line, telling_line

__all__ = ["EventsPlugin", "message_of"]


class EventsPlugin:
    """Tells what becomes of each test."""

    def __init__(self, events: Events) -> None:
        self.events = events

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Tell that a test starts."""
        self.events.started(nodeid)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """Tell that a test is over."""
        self.events.ended(nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Tell what a phase of a test came to, and which worker ran it."""
        if report.when == "setup" and (node := getattr(report, "node", None)):
            self.events.ran_in(node.gateway.id, report.nodeid)
        if report.failed:
            self.events.outcome(report.nodeid, FAILED, message_of(report))
        elif report.skipped and not hasattr(report, "wasxfail"):
            self.events.outcome(report.nodeid, SKIPPED)
        elif report.when == "call" or report.skipped:
            self.events.outcome(report.nodeid, PASSED)


def message_of(report: pytest.TestReport) -> str:
    """Return the line of a report that says most about a failure."""
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is None:
        return telling_line(str(report.longrepr).splitlines())
    message = one_line(crash.message)
    # pytest leaves the name out where the assertion speaks for itself.
    return f"AssertionError: {message}" if message.startswith("assert ") else message
