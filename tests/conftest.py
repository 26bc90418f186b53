"""What the tests share: Django projects in subprocesses, and isolation on and off."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import uuid
from pathlib import Path

import hypothesis
import pytest
from django.core.cache.backends.locmem import LocMemCache
from hypothesis.configuration import set_hypothesis_home_dir

from ci_cache_isolation.isolation import switch
from ci_cache_isolation.isolation.environment import ENABLED_VARIABLE
from ci_cache_isolation.isolation.process_state import STATE
from ci_cache_isolation.isolation.stack import ScopeStack
from ci_cache_isolation.isolation.stores.memory import MemoryStore

pytest.register_assert_rewrite("tests.under_unittest")

pytest_plugins = [
    "pytester",
    "tests.at_once",
    "tests.grouping",
    "tests.held_and_patched",
    "tests.interrupted",
    "tests.kinds",
    "tests.neighbours",
    "tests.parts",
    "tests.prepared.plugin",
    "tests.served",
    "tests.servers",
    "tests.shared_caches",
]

SETTINGS = """
SECRET_KEY = "not a secret"
USE_TZ = True
"""
# What this run has put into the environment is not meant for the runs in its tests.
OF_THIS_RUN = (ENABLED_VARIABLE, "DJANGO_", "GITHUB_", "PYTEST_", "PYTHONWARNINGS")

# No time limits: a machine may be busy. Each run tries others, so they add up, and
# `--hypothesis-profile=thorough` tries more.
hypothesis.settings.register_profile("quick", deadline=None, max_examples=40)
hypothesis.settings.register_profile("thorough", deadline=None, max_examples=200)
hypothesis.settings.load_profile("quick")
# Not in .hypothesis, which pytest would collect.
set_hypothesis_home_dir(Path(__file__).parents[1] / ".pytest_cache" / "hypothesis")


def pytest_addoption(parser):
    parser.addoption(
        "--program-minutes",
        type=float,
        metavar="M",
        help="run random programs of cache operations so long, all stores together; "
        "without it some that are always the same",
    )


class Project:
    """A directory with a Django project, whose commands run in processes of their own.

    ``settings.py`` is there already; `write` adds to it and makes other modules.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.own = {
            "DJANGO_SETTINGS_MODULE": "settings",
            # What killed runs leave is not for other tests to delete.
            "CI_CACHE_ISOLATION_JOURNALS": str(path / ".state"),
        }
        self.write("settings", SETTINGS)

    def write(self, module, *sources):
        path = self.path / f"{module.replace('.', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.read_text() if path.exists() else ""
        path.write_text(before + "".join(map(textwrap.dedent, sources)))

    def run(self, *command, **environment):
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(OF_THIS_RUN)
        }
        return subprocess.run(
            [sys.executable, *command],
            cwd=self.path,
            env=inherited | self.own | environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def python(self, source, **environment):
        """Run some code; fail if it does, return what it printed."""
        done = self.run("-c", textwrap.dedent(source), **environment)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def manage(self, *arguments, **environment):
        return self.run("-m", "django", *arguments, **environment)

    def pytest(self, *arguments, **environment):
        """Run pytest with no other plugins but Django's, and xdist's if it is used."""
        others = ["cacheprovider", "randomly", "hypothesispytest", "asyncio", "valkey"]
        if not any(argument.startswith("-n") for argument in arguments):
            others.append("xdist")
        blocked = [f"-pno:{name}" for name in others]
        return self.run("-m", "pytest", *blocked, *arguments, **environment)


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


@pytest.fixture
def new_cache():
    """Open memory caches that nothing else knows; one LOCATION unless told."""
    own = uuid.uuid4().hex

    def new(location="", cache_class=LocMemCache, **params):
        return cache_class(f"{own}{location}", params)

    return new


@pytest.fixture
def stack():
    """Scopes of one's own, inside those of the test."""
    return ScopeStack([MemoryStore()])


@pytest.fixture(autouse=True)
def switch_as_before():
    """Fail a test that leaves this process's isolation other than it found it."""
    before = switched()
    yield
    assert switched() == before


def switched():
    """Return what decides whether and how caches of this process are isolated."""
    return {
        "watching": (STATE.watcher, STATE.expect),
        "attached": (STATE.suites, STATE.is_enabled),
        "kept": switch.kept(),
        # Not the environment: fixtures of a module keep it from what their runs start.
        "started": STATE.is_started,
    }


@pytest.fixture
def off(monkeypatch):
    """Plain Django for the time of a test, by CI_CACHE_ISOLATION=off."""
    path, kept, was_started = switch.STACK.path, switch.kept(), STATE.is_started
    monkeypatch.setenv(ENABLED_VARIABLE, "off")
    switch.uninstall()
    yield
    monkeypatch.delenv(ENABLED_VARIABLE)
    switch.put_back(kept)
    if was_started:
        switch.start(switch.state())
    switch.STACK.move_to(path)


@pytest.fixture(params=["on", "off"])
def isolation(request):
    """Run a test twice: isolated, and as plain Django, where the leak must show."""
    if request.param == "off":
        request.getfixturevalue("off")
    return request.param == "on"
