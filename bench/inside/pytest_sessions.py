"""Whole sessions of pytest in this process; what is timed is its loop over tests."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path
from time import perf_counter

import pytest

from bench.inside.project import is_in_section
from bench.task import Task

__all__ = ["run"]

PROJECT = Path(__file__).parent.parent / "project"
PLAIN = ("-p", "no:ci_cache_isolation")
CASES = {
    "empty functions": ["test_functions.py"],
    "empty SimpleTestCase, 2 classes": [
        f"test_cases.py::EmptyTests{number}" for number in range(2)
    ],
}


class LoopTimer:
    """A plugin that times the tests, without start-up and collection."""

    seconds = 0.0
    tests = 0

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(
        self, session: pytest.Session
    ) -> Generator[None, object, object]:
        """Time the loop."""
        self.tests = len(session.items)
        begun = perf_counter()
        try:
            return (yield)
        finally:
            self.seconds = perf_counter() - begun


class SectionSeer:
    """A plugin that looks whether a test has a section."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.has_seen = False

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_call(self) -> None:
        """Look."""
        self.has_seen = self.has_seen or is_in_section(self.task)


def run(task: Task, serve: Callable[..., None]) -> None:
    """Serve sessions of the project next to this folder."""

    def session(files: list[str], plugin: object) -> None:
        switch = () if task.is_isolated else PLAIN
        paths = [str(PROJECT / file) for file in files]
        config = str(PROJECT / "pytest.ini")
        code = pytest.main(["-c", config, *switch, *paths], [plugin])
        if code:
            raise SystemExit(code)

    def measure(case: str, _loops: int) -> float:
        timer = LoopTimer()
        session(CASES[case], timer)
        return timer.seconds / timer.tests

    seer = SectionSeer(task)
    session(["test_one.py"], seer)
    serve(measure, has_section=seer.has_seen)
