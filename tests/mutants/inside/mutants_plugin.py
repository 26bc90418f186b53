"""A pytest plugin that says, test by test, what begins and what became of it.

It writes a line of JSON each into the file that MUTANTS_REPORT names. While lines are
noted it says in which contexts those of a test are: its own, and those of the wider
fixtures that it shares with other tests.
"""

import json
import os
import sys
from pathlib import Path

import pytest

WORST = ("passed", "skipped", "failed")


class Plugin:
    def __init__(self, path):
        self.path = path
        self.recorder = sys.modules.get("mutants_recorder")
        self.last = 0
        self.context = 0
        self.parts = {}
        self.fixtures = {}
        self.outcome = ""
        self.seconds = 0.0

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item):
        self.outcome, self.seconds = "passed", 0.0
        self.say(begun=item.nodeid)
        own = self.begin()
        try:
            return (yield)
        finally:
            names = getattr(item, "_fixtureinfo", None)
            for found in getattr(names, "name2fixturedefs", {}).values():
                self.parts[own].update(
                    self.fixtures[each] for each in found if each in self.fixtures
                )
            self.say(
                ended=item.nodeid,
                outcome=self.outcome,
                seconds=round(self.seconds, 3),
                contexts=sorted(self.closure(own)),
            )

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef, request):
        if fixturedef.scope == "function":
            return (yield)
        outer = self.context
        own = self.fixtures[fixturedef] = self.begin()
        self.parts.setdefault(outer, set()).add(own)
        try:
            return (yield)
        finally:
            self.begin(outer)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item, call):
        report = yield
        self.seconds += report.duration
        self.outcome = max(self.outcome, report.outcome, key=WORST.index)
        return report

    def begin(self, context=None):
        if context is None:
            self.last += 1
            context = self.last
        self.context = context
        self.parts.setdefault(context, set())
        if self.recorder is not None:
            self.recorder.begin(context)
        return context

    def closure(self, context):
        found, waiting = set(), [context]
        while waiting:
            each = waiting.pop()
            if each not in found:
                found.add(each)
                waiting += self.parts[each]
        return found

    def say(self, **line):
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")


def pytest_configure(config):
    # A run inside a test inherits the variable, not the option that loads this.
    path = Path(os.environ["MUTANTS_REPORT"])
    config.pluginmanager.register(Plugin(path), "mutants")
