"""A process that forks, on a copy of a project, and all that it could leave behind."""

import os
import time
from contextlib import suppress
from pathlib import Path

import pytest

from ci_cache_isolation.running.forks import ForkServer, Job, Sections
from ci_cache_isolation.running.runners import runner_named
from tests.commands import copied

RUNNERS = ["django", "pytest"]


class Served:
    """A copy of the project, and whatever a server of it could leave somewhere."""

    def __init__(self, folder, runner):
        self.runner = runner
        self.project = copied("pairs", folder).folder
        self.out = folder / "out"
        self.state = folder / "state"
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        self.before = self.files()

    def server(self, *labels, processes=2, seconds=60, **environment):
        environment |= {
            "DJANGO_SETTINGS_MODULE": "pairs.settings",
            "CI_CACHE_ISOLATION_STATE": str(self.state),
            "TMPDIR": str(self.temporary),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        return ForkServer(
            runner_named(self.runner, self.project),
            labels or ("leaks",),
            self.out,
            processes=processes,
            seconds=seconds,
            environment=environment,
        )

    def job(self, *tests, sections=Sections.SHARED, **options):
        return Job(tuple(self.id(test) for test in tests), sections, **options)

    def id(self, test):
        """Return the runner's name of "module.Class.test"."""
        if self.runner == "django":
            return f"leaks.test_{test}"
        module, *rest = test.split(".")
        return "::".join([f"leaks/test_{module}.py", *rest])

    def files(self):
        return {path for path in self.project.rglob("*") if path.is_file()}

    def left(self):
        """Return all that is there now and was not there before."""
        directories = [
            *self.temporary.iterdir(),
            *self.project.rglob(".ci-cache-isolation-*"),
            *self.state.glob("*"),
        ]
        return sorted(map(str, (self.files() - self.before) | {*directories}))


def in_session_of(pid):
    """Return the processes, zombies aside, that were started by a server."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, _, session = stat.read_text().rpartition(") ")[2].split()[:4]
            if int(session) == pid and state != "Z":
                found.append(int(stat.parent.name))
    return found


def eventually(is_so):
    """Tell whether something comes true: who is killed is not gone at once."""
    deadline = time.monotonic() + 30
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


@pytest.fixture
def nothing_of_this_run(monkeypatch):
    """Take out of the environment what is meant for the run that this is."""
    for name in list(os.environ):
        if name.startswith(("PYTEST_", "CI_CACHE_ISOLATION", "DJANGO_")):
            monkeypatch.delenv(name)


@pytest.fixture(params=RUNNERS)
def served(request, tmp_path, nothing_of_this_run):
    return Served(tmp_path, request.param)
