"""An interrupted run prints at once which tests failed and which were running.

pytest's own summary follows if there is time: xdist first waits up to ten seconds for
its workers, and a CI job that is out of time may be killed earlier.
"""

import signal

import pytest


def pytest_configure(config):
    if hasattr(config, "workerinput"):
        return
    config.pluginmanager.register(Interrupted(config))
    # CI ends a job by SIGTERM. Tests and their forks must keep the default handler, so
    # it is replaced only where xdist runs tests in other processes.
    if has_workers(config):
        signal.signal(signal.SIGTERM, signal.default_int_handler)


def has_workers(config):
    """Return whether xdist runs the tests; --dist alone doesn't say so."""
    return bool(config.getoption("numprocesses", None))


class Interrupted:
    """What became of the tests of all workers."""

    def __init__(self, config):
        self.config = config
        # Dictionaries for their order.
        self.failed = {}
        self.running = {}

    def pytest_runtest_logstart(self, nodeid):
        self.running[nodeid] = "running"

    def pytest_runtest_logfinish(self, nodeid):
        self.running.pop(nodeid, None)

    def pytest_runtest_logreport(self, report):
        if report.failed:
            self.failed[report.nodeid] = "failed"

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo):
        # pytest ends a run by itself after errors in collection, or --maxfail failures.
        if excinfo.errisinstance(pytest.Session.Interrupted):
            return
        if has_workers(self.config):
            # nox sends it soon after Ctrl-C; it must not end the summary.
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        # One that crashed its worker failed, and never finished.
        known = self.running | self.failed
        failed, running = (
            [nodeid for nodeid, became in known.items() if became == word]
            for word in ("failed", "running")
        )
        lines = [
            f"== interrupted: {len(failed)} failed, {len(running)} running",
            *(f"   failed: {nodeid}" for nodeid in failed),
            *(f"   running: {nodeid}" for nodeid in running),
        ]
        terminal = self.config.pluginmanager.get_plugin("terminalreporter")
        terminal.write("\n" + "\n".join(lines) + "\n", flush=True)
