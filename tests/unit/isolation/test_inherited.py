"""What a child inherits inside of caches is cut off, and the objects stay."""

import functools
import socket
import threading
from types import SimpleNamespace
from unittest import mock

import pytest
from django.core.cache import BaseCache

from ci_cache_isolation.isolation import inherited, notices
from tests.shared_caches import own_notices

__all__ = ["own_notices"]
PEER = 11211


class Cache(BaseCache):
    def __init__(self, client):
        super().__init__({})
        self.client = client
        self.closed = 0

    def close(self, **_):
        self.closed += 1


class Client:
    """Holds a socket in a pool of dictionaries and lists, as clients do."""

    def __init__(self, connection):
        self.pool = {"free": [connection]}
        self.asked = 0

    def disconnect(self):
        self.asked += 1
        self.pool["free"].pop().close()


class ClosedAtOnce(Client):
    disconnect = None

    def close(self):
        Client.disconnect(self)


class NeverClosed(Client):
    disconnect = None


class Failing(Client):
    def disconnect(self):
        super().disconnect()
        raise OSError


class Asynchronous(Client):
    async def disconnect(self):
        raise AssertionError


@pytest.fixture
def connection():
    """A socket of a child, that of its parent, and the server's end."""
    ours, servers = socket.socketpair()
    parents = ours.dup()
    servers.settimeout(0)
    yield ours, parents, servers
    for each in (ours, parents, servers):
        each.close()


@pytest.fixture
def renewed():
    """Do with a cache what is done with all that a child inherits."""
    dead, other = socket.socketpair()
    other.close()
    with dead:

        def renew(cache, connected):
            sort_of = functools.cache(inherited._sort_of)
            found = inherited._Holdings("default", cache, sort_of)
            found.cut_off(connected, dead)
            found.disconnect(inherited.os.fstat(dead.fileno()).st_ino)

        yield renew


def hears_nothing(server, parents):
    """Return whether a server heard nothing, and still hears the parent."""
    try:
        server.recv(1)
    except BlockingIOError:
        parents.sendall(b"word")
        return server.recv(4) == b"word"
    return False


@pytest.mark.parametrize("kind", [Client, ClosedAtOnce, Failing])
def test_a_client_disconnects_and_its_server_hears_nothing(
    renewed, connection, kind, own_notices
):
    ours, parents, servers = connection
    cache = Cache(kind(ours))
    renewed(cache, {ours.fileno(): PEER})
    assert ours.fileno() == -1
    assert cache.client.asked == 1
    assert hears_nothing(servers, parents)
    assert notices.take() == []
    # Nobody but who holds the socket was asked.
    assert cache.closed == 0


@pytest.mark.parametrize("kind", [NeverClosed, Asynchronous])
def test_what_nothing_disconnects_is_cut_off_and_said(
    renewed, connection, kind, own_notices
):
    ours, parents, servers = connection
    cache = Cache(kind(ours))
    renewed(cache, {ours.fileno(): PEER})
    assert cache.closed == 1
    with pytest.raises(OSError, match="Broken pipe"):
        ours.sendall(b"quit")
    assert hears_nothing(servers, parents)
    [notice] = notices.take()
    assert "'default'" in notice
    assert f"{__name__}.Cache" in notice


def test_where_descriptors_cannot_be_listed_all_that_is_held_is_cut_off(
    renewed, connection
):
    ours, parents, servers = connection
    cache = Cache(Client(ours))
    with mock.patch.object(inherited, "_DESCRIPTORS", inherited.Path("/nowhere")):
        assert inherited._connected() is None
    renewed(cache, None)
    assert ours.fileno() == -1
    assert hears_nothing(servers, parents)


def test_a_socket_that_is_not_connected_is_left_alone(renewed, connection):
    ours, _, _ = connection
    cache = Cache(Client(ours))
    renewed(cache, {})
    assert ours.fileno() != -1
    assert cache.client.asked == 0


def test_a_pair_of_sockets_within_a_process_is_connected_to_no_server(connection):
    ours, _, _ = connection
    assert ours.fileno() not in inherited._connected()


def test_objects_of_others_are_not_entered(renewed, connection):
    ours, _, _ = connection
    cache = Cache(mock.Mock(own=Client(ours)))
    renewed(cache, {ours.fileno(): PEER})
    assert ours.fileno() != -1


def test_what_a_thread_keeps_for_itself_is_found(renewed, connection):
    ours, _, _ = connection
    cache = Cache(threading.local())
    cache.client.own = Client(ours)
    renewed(cache, {ours.fileno(): PEER})
    assert ours.fileno() == -1


def test_a_lock_that_another_thread_held_is_freed(renewed):
    cache = Cache(SimpleNamespace(plain=threading.Lock(), again=threading.RLock()))
    for lock in vars(cache.client).values():
        thread = threading.Thread(target=lock.acquire)
        thread.start()
        thread.join()
        assert not lock.acquire(blocking=False)
    renewed(cache, {})
    for lock in vars(cache.client).values():
        assert lock.acquire(blocking=False)


def test_a_lock_that_the_forking_thread_holds_stays_so(renewed):
    cache = Cache(threading.RLock())
    with cache.client:
        renewed(cache, {})


def test_entries_in_memory_are_not_looked_at(new_cache):
    cache = new_cache()
    cache.set("key", 1)
    reached = inherited._reached(cache, inherited._sort_of)
    assert all(node.found is not cache._cache for node in reached)


@pytest.mark.parametrize(
    ("location", "servers"),
    [
        ("127.0.0.1:11211", {11211}),
        (["one:1", "two:2"], {1, 2}),
        ("[::1]:5", {5}),
        ("redis://user:secret@host:7/3", {7}),
        ("unix:/run/memcached.sock", {"/run/memcached.sock"}),
        ("/run/memcached.sock", {"/run/memcached.sock"}),
        ("unix:///run/redis.sock?db=1", {"/run/redis.sock"}),
        ("host", {6379, 11211}),
    ],
)
def test_the_servers_of_a_cache_are_known_by_port_or_path(location, servers):
    cache = Cache(None)
    cache._servers = location
    found = inherited._Holdings("nobody", cache, inherited._sort_of)
    assert found._servers() == servers


def test_a_cache_that_is_gone_is_forgotten():
    cache = Cache(None)
    inherited.note("default", cache)
    identity = id(cache)
    assert identity in inherited._held
    del cache
    assert identity not in inherited._held
