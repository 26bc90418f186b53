"""A hundred forks leave nothing anywhere, however the run ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ci_cache_isolation.running.forks import End, ForkServerError, Sections
from tests.served import eventually, in_session_of

pytestmark = pytest.mark.exhaustive

BACKEND = "django.core.cache.backends.redis.RedisCache"
KINDS = ["FileTests", "TableTests", "ServerTests"]


@pytest.fixture
def shared(served, redis_server, postgres_server):
    """A project on a real Redis and a real PostgreSQL, and what is left there."""
    import json  # noqa: PLC0415

    import psycopg  # noqa: PLC0415

    redis = redis_server.client()
    redis.flushall()
    database = postgres_server.database
    name = f"test_left_{served.runner}_{os.getpid()}"
    served.variables = {
        "PAIRS_BACKEND": BACKEND,
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


def sockets_and_pipes(pid):
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def listen_to_interrupts():
    signal.signal(signal.SIGINT, signal.default_int_handler)


def jobs(served, count):
    for number in range(count):
        kind = KINDS[number % 3]
        tests = f"leaks.{kind}.test_writes", f"leaks.{kind}.test_reads"
        common = "tag" if number % 10 == 9 else ""
        sections = Sections.COMMON if common else Sections.SHARED
        if number % 20 == 7:
            tests = (*tests, "bad.BadTests.test_exits")
        yield served.job(*tests, sections=sections, common=common)


def test_a_hundred_forks_leave_nothing(shared):
    with shared.server(**shared.variables) as server:
        running = server.run(jobs(shared, 100))
        ended = [next(running) for _ in range(10)]
        open_then = sockets_and_pipes(server.pid)
        ended += running
        # Those that two forks need while they run are closed again.
        assert sockets_and_pipes(server.pid) <= open_then
        assert in_session_of(server.pid) == [server.pid]
    assert len(ended) == 100
    assert sum(each.end is End.DIED for each in ended) == 5
    assert in_session_of(server.pid) == []
    assert shared.left() == []
    assert shared.on_servers() == []


@pytest.mark.parametrize("ended_by", [signal.SIGINT, signal.SIGKILL])
def test_a_client_that_is_ended_leaves_nothing(shared, tmp_path, ended_by):
    script = tmp_path / "client.py"
    script.write_text(
        "import os, sys\n"
        "from pathlib import Path\n"
        "from ci_cache_isolation.running.forks import ForkServer, Job\n"
        "from ci_cache_isolation.running.runners import runner_named\n"
        "runner, project, out, *tests = sys.argv[1:]\n"
        "with ForkServer(runner_named(runner, Path(project)), ['leaks'], Path(out),\n"
        "                processes=2, seconds=60) as server:\n"
        "    print(server.pid, flush=True)\n"
        "    jobs = (Job(tuple(tests)) for _ in range(1000))\n"
        "    for number, each in enumerate(server.run(jobs)):\n"
        "        print(number, flush=True)\n"
    )
    tests = [shared.id(f"leaks.{kind}.test_writes") for kind in KINDS]
    environment = shared.server(**shared.variables)._environment
    client = subprocess.Popen(
        [sys.executable, script, shared.runner, shared.project, shared.out, *tests],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # One that was started in the background ignores interrupts otherwise.
        preexec_fn=listen_to_interrupts,  # noqa: PLW1509
    )
    pid = int(client.stdout.readline())
    while client.stdout.readline() != "4\n":
        pass
    client.send_signal(ended_by)
    _, printed = client.communicate(timeout=60)
    assert ("KeyboardInterrupt" in printed) is (ended_by is signal.SIGINT)
    # What a killed one had started ends by itself.
    assert eventually(lambda: in_session_of(pid) == [])
    assert shared.left() == []
    assert shared.on_servers() == []


def test_what_a_killed_server_leaves_is_gone_after_the_next_run(shared):
    hanging = shared.job("leaks.ServerTests.test_writes", "bad.BadTests.test_hangs")
    sound = [shared.job("leaks.ServerTests.test_writes")] * 4
    with shared.server(**shared.variables) as server:
        running = server.run([hanging, *sound])
        for _ in sound:
            next(running)
        deadline = time.monotonic() + 30
        while not shared.keys():
            assert time.monotonic() < deadline
        os.kill(server.pid, signal.SIGKILL)
        with pytest.raises(ForkServerError, match="SIGKILL"):
            next(running)
    assert eventually(lambda: in_session_of(server.pid) == [])
    assert shared.keys() != []
    with shared.server(**shared.variables) as server:
        assert [each.last for each in server.run(sound)] == ["passed"] * 4
    assert shared.on_servers() == []
    assert shared.left() == []
