"""``doctor --probe`` on Redis with a Sentinel, and on a Valkey Cluster."""

import time
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError

from ci_cache_isolation.errors import ServerNotFoundError
from ci_cache_isolation.isolation import servers
from ci_cache_isolation.isolation.supervised import Supervised
from tests.probes import probed, project_with
from tests.servers import (
    PATIENCE,
    MissingServerError,
    free_port,
    new_directory,
    shared,
    wait_for,
)

# All caches are probed once.
pytestmark = pytest.mark.xdist_group("sentinel and cluster")
SENTINEL = """
port {port}
bind 127.0.0.1
dir {folder}
sentinel monitor mymaster 127.0.0.1 {master} 1
sentinel down-after-milliseconds mymaster 60000
"""
SLOTS = 16384
NODES = 3
REDIS = {
    "CLIENT_CLASS": "django_redis.client.SentinelClient",
    "CONNECTION_POOL_CLASS": "redis.sentinel.SentinelConnectionPool",
}
VALKEY = {
    "CLIENT_CLASS": "django_valkey.client.SentinelClient",
    "CONNECTION_FACTORY": "django_valkey.pool.SentinelConnectionFactory",
    "CONNECTION_POOL_CLASS": "valkey.sentinel.SentinelConnectionPool",
}
FACTORY = "django_redis.pool.SentinelConnectionFactory"
BROKEN = {
    # keyslot() tells the slot of the key as it is made.
    "cluster": {"extras"},
}
"""By alias, the promises that may be broken."""


@contextmanager
def started(kind, *options):
    """Run a server with options of its own; yield its port."""
    try:
        command = servers.find(kind, None)
    except ServerNotFoundError as error:
        raise MissingServerError(error) from error
    port = free_port()
    folder = new_directory()
    bound = ["--bind", "127.0.0.1", "--port", str(port), "--dir", folder, "--save", ""]
    server = Supervised([*command, *options, *bound], folder)
    try:
        wait_for(server, partial(answers, port))
        yield port
    finally:
        server.stop()


def answers(port):
    with Redis(port=port) as client:
        try:
            return client.ping()
        except RedisError:
            return False


@contextmanager
def running_sentinel():
    """Run a Redis and a Sentinel that knows it; yield the Sentinel's port."""
    with started("redis") as master:
        port = free_port()
        folder = new_directory()
        file = Path(folder, "sentinel.conf")
        file.write_text(SENTINEL.format(port=port, folder=folder, master=master))
        [program, *_] = servers.find("redis", None)
        server = Supervised([program, str(file), "--sentinel"], folder)
        try:
            wait_for(server, partial(answers, port))
            yield port
        finally:
            server.stop()


@contextmanager
def running_cluster():
    """Run a Valkey Cluster of three nodes without replicas; yield their ports."""
    with ExitStack() as stack:
        options = ("--cluster-enabled", "yes", "--cluster-node-timeout", "60000")
        # Nodes talk at another port: unless told they take one that may not exist.
        buses = [free_port() for _ in range(NODES)]
        ports = [
            stack.enter_context(started("valkey", *options, "--cluster-port", str(bus)))
            for bus in buses
        ]
        clients = [stack.enter_context(Redis(port=port)) for port in ports]
        for number, client in enumerate(clients):
            slots = range(number * SLOTS // NODES, (number + 1) * SLOTS // NODES)
            client.execute_command("CLUSTER ADDSLOTSRANGE", slots[0], slots[-1])
            client.execute_command("CLUSTER SET-CONFIG-EPOCH", number + 1)
        for port, bus in zip(ports[1:], buses[1:], strict=True):
            clients[0].execute_command("CLUSTER MEET", "127.0.0.1", port, bus)
        deadline = time.monotonic() + PATIENCE
        while not all(map(is_whole, clients)):
            assert time.monotonic() < deadline, clients[0].execute_command(
                "CLUSTER INFO"
            )
            time.sleep(0.05)
        yield ports


def is_whole(client):
    """Return whether a node knows all others and their slots."""
    said = client.execute_command("CLUSTER INFO")
    known = said["cluster_state"], said["cluster_known_nodes"]
    return known == ("ok", str(NODES))


@pytest.fixture(scope="module")
def sentinel():
    yield from shared("redis", running_sentinel)


@pytest.fixture(scope="module")
def cluster():
    yield from shared("valkey", running_cluster)


@pytest.fixture(scope="module")
def found(tmp_path_factory, sentinel, cluster):
    sentinels = {"SENTINELS": [["127.0.0.1", sentinel]]}
    caches = {
        "default": {
            "BACKEND": "django_redis.cache.RedisCache",
            "LOCATION": "redis://mymaster/0",
            "OPTIONS": REDIS | sentinels,
        },
        "valkey": {
            "BACKEND": "django_valkey.cache.ValkeyCache",
            "LOCATION": "valkey://mymaster/0",
            "OPTIONS": VALKEY | sentinels,
        },
        "cluster": {
            "BACKEND": "django_valkey.cluster_cache.cache.ClusterValkeyCache",
            "LOCATION": f"valkey://127.0.0.1:{cluster[0]}",
        },
    }
    folder = tmp_path_factory.mktemp("sentinel")
    return probed(project_with(folder, caches, factory=FACTORY))


@pytest.mark.parametrize("alias", ["default", "valkey", "cluster"])
def test_promises_are_kept_but_for_those_that_are_known(found, alias):
    cache = found.cache(alias)
    assert (cache["failure"], cache["left_alone"]) == ("", "")
    assert found.broken(alias).keys() <= BROKEN.get(alias, set()), found.broken(alias)
    assert len(cache["promises"]) >= 20
