"""A unit test starts no process and talks to no server: it fails if it tries."""

import sys
from pathlib import Path

import pytest

from tests.servers import Server

HERE = Path(__file__).parent
FORBIDDEN = {
    "os.exec",
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.system",
    "socket.connect",
    "subprocess.Popen",
}
# Where nobody listens: a cache that is only asked for its keys needs an address.
NOWHERE = "127.0.0.1:1"
is_unit_test = False


def refuse(event, _):
    if is_unit_test and event in FORBIDDEN:
        raise AssertionError(f"{event} in a unit test: it belongs into tests/system")


sys.addaudithook(refuse)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    global is_unit_test  # noqa: PLW0603 - an audit hook can't be taken away
    # pytest calls this for every test of a run, whatever its folder.
    is_unit_test = item.path.is_relative_to(HERE)
    try:
        return (yield)
    finally:
        is_unit_test = False


@pytest.fixture(scope="session")
def redis_server():
    return Server("redis", f"redis://{NOWHERE}", 0)


@pytest.fixture(scope="session")
def valkey_server():
    return Server("valkey", f"valkey://{NOWHERE}", 0)


@pytest.fixture(scope="session")
def memcached_server():
    return Server("memcached", NOWHERE, 0)
