"""A process that forks, on a copy of a project, and all that it could leave behind."""

import json
import os
import time
from contextlib import suppress
from pathlib import Path

import pytest

from ci_cache_isolation.running.forks import End, ForkClient, Job, SectionMode
from ci_cache_isolation.running.runners import runner_named
from tests.commands import copied

RUNNERS = ["django", "pytest"]
REDIS = "django.core.cache.backends.redis.RedisCache"
# Those whose caches are no memory of the process.
KINDS = ["FileTests", "TableTests", "ServerTests"]


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
            "CI_CACHE_ISOLATION_JOURNALS": str(self.state),
            "TMPDIR": str(self.temporary),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        return ForkClient(
            runner_named(self.runner, self.project),
            labels or ("leaks",),
            self.out,
            processes=processes,
            seconds=seconds,
            environment=environment,
        )

    def job(self, *tests, sections=SectionMode.SHARED, **options):
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
    """Return whether something comes true: who is killed is not gone at once."""
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


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(runner, marks=pytest.mark.xdist_group(f"running {runner}"))
        for runner in RUNNERS
    ],
)
def running(request, tmp_path_factory):
    """One server for many tests, which send it jobs; in an interpreter of its own.

    Only its hash seed asks for that: a prepared process has a spare in its session.
    """
    served = Served(tmp_path_factory.mktemp(request.param), request.param)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
        with served.server(PYTHONHASHSEED="1") as server:
            served.running = server
            yield served


def ran(served, *tests, **options):
    """Run one job there."""
    [forked] = served.running.run([served.job(*tests, **options)])
    return forked


@pytest.fixture(params=RUNNERS)
def served(request, tmp_path, nothing_of_this_run):
    return Served(tmp_path, request.param)


@pytest.fixture
def served_on_servers(served, redis_server, postgres_server):
    """A project on a real Redis and a real PostgreSQL, and what is left there."""
    import psycopg  # noqa: PLC0415

    redis = redis_server.client()
    redis.flushall()
    database = postgres_server.database
    name = f"test_left_{served.runner}_{os.getpid()}"
    served.variables = {
        "PAIRS_BACKEND": REDIS,
        "PAIRS_LOCATION": redis_server.location,
        "PAIRS_DATABASE": json.dumps(database | {"TEST": {"NAME": name}}),
    }

    def ask(statement):
        with psycopg.connect(
            host=database["HOST"],
            port=database["PORT"],
            user=database["USER"],
            autocommit=True,
        ) as connection:
            found = connection.execute(statement)
            return found.fetchall() if found.description else None

    def databases():
        found = ask(f"SELECT datname FROM pg_database WHERE datname LIKE '{name}%'")
        return [each for (each,) in found]

    served.on_servers = lambda: [*redis.keys(), *databases()]
    served.keys = redis.keys
    yield served
    for each in databases():
        ask(f'DROP DATABASE "{each}" WITH (FORCE)')
    redis.close()


def forks_leave_nothing(served, count):
    """Run so many jobs, of which some die, on servers, and look for what is left."""
    with served.server(**served.variables) as server:
        running = server.run(_jobs(served, count))
        ended = [next(running) for _ in range(10)]
        open_then = open_files(server.pid)
        ended += running
        # Those that two forks need while they run are closed again.
        assert open_files(server.pid) <= open_then
        assert in_session_of(server.pid) == [server.pid]
    assert len(ended) == count
    assert sum(each.end is End.DIED for each in ended) == count // 20
    assert in_session_of(server.pid) == []
    assert served.left() == []
    assert served.on_servers() == []


def _jobs(served, count):
    for number in range(count):
        kind = KINDS[number % 3]
        tests = f"leaks.{kind}.test_writes", f"leaks.{kind}.test_reads"
        common = "tag" if number % 10 == 9 else ""
        sections = SectionMode.COMMON if common else SectionMode.SHARED
        if number % 20 == 7:
            tests = (*tests, "bad.BadTests.test_exits")
        yield served.job(*tests, sections=sections, common=common)


def open_files(pid):
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))
