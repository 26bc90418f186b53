"""Connections that a forked child inherits: its caches stay, and connect anew."""

import pytest

BACKENDS = {
    "redis": "django.core.cache.backends.redis.RedisCache",
    "django-redis": "django_redis.cache.RedisCache",
    "django-valkey": "django_valkey.cache.ValkeyCache",
    "pymemcache": "django.core.cache.backends.memcached.PyMemcacheCache",
    "pylibmc": "django.core.cache.backends.memcached.PyLibMCCache",
    "own": "backends.OwnCache",
    "own-client": "backends.OwnClientCache",
    "own-final": "backends.OwnFinalCache",
}
FAMILIES = {"redis": "redis", "django-redis": "redis", "django-valkey": "valkey"}
# What projects write for themselves, over the protocol of memcached.
OWN = """
import pickle
import socket
from django.core.cache import BaseCache


class Client:
    def __init__(self, location):
        host, port = location.rsplit(":", 1)
        self.address = host, int(port)
        self.pool = {"connections": []}

    def ask(self, command, *data):
        if not self.pool["connections"]:
            connection = socket.create_connection(self.address)
            self.pool["connections"].append((connection, connection.makefile("rb")))
        connection, file = self.pool["connections"][0]
        connection.sendall(b"\\r\\n".join([command.encode(), *data, b""]))
        answer = file.readline().split()
        if answer[0] != b"VALUE":
            return answer[0]
        value = file.read(int(answer[3]) + 2)[:-2]
        assert file.readline() == b"END\\r\\n"
        return pickle.loads(value)

    def disconnect_all(self):
        while self.pool["connections"]:
            connection, file = self.pool["connections"].pop()
            try:
                connection.sendall(b"quit\\r\\n")
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            file.close()
            connection.close()


class OwnClientCache(BaseCache):
    def __init__(self, location, params):
        super().__init__(params)
        self._location = location
        self.reader = Client(location)

    def get(self, key, default=None, version=None):
        answer = self.reader.ask("get " + self.make_key(key, version))
        return default if answer == b"END" else answer

    def _store(self, how, key, value, version):
        data = pickle.dumps(value)
        made = self.make_key(key, version)
        return self.reader.ask(f"{how} {made} 0 0 {len(data)}", data) == b"STORED"

    def set(self, key, value, timeout=None, version=None):
        self._store("set", key, value, version)

    def add(self, key, value, timeout=None, version=None):
        return self._store("add", key, value, version)

    def delete(self, key, version=None):
        made = self.make_key(key, version)
        return self.reader.ask("delete " + made) == b"DELETED"

    def clear(self):
        self.reader.ask("flush_all")


class OwnCache(OwnClientCache):
    def __init__(self, location, params):
        super().__init__(location, params)
        self.reader.close_all, Client.disconnect_all = Client.disconnect_all, None
        self.reader.close_all = self.reader.close_all.__get__(self.reader)

    def close(self, **kwargs):
        self.reader.close_all()


class OwnFinalCache(OwnClientCache):
    def __init__(self, location, params):
        super().__init__(location, params)
        Client.disconnect_all = None
"""
BEGINNING = """
import os, socket, stat, sys, traceback
import django
from django.core.cache import caches
django.setup()
from ci_cache_isolation.isolation import notices
from ci_cache_isolation.isolation.switch import install, start

start(install())
held = caches["default"]
held.set("of-process", 1)
# Sockets that are made from now on do not block, and those of before do as they did.
socket.setdefaulttimeout(5)


def connections():
    found = {}
    for number in map(int, os.listdir("/dev/fd")):
        try:
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                found[number] = os.fstat(number).st_ino, os.get_blocking(number)
        except OSError:
            pass
    return found


def in_child(work):
    child = os.fork()
    if not child:
        status = 1
        try:
            work()
            status = 0
        except SystemExit:
            raise
        except BaseException:
            traceback.print_exc()
        # With all that is done when an interpreter ends.
        sys.exit(status)
    return child


def ended(child):
    assert os.waitpid(child, 0)[1] == 0

before = connections()
assert before
"""
USED_AT_ONCE = """
def work():
    assert caches["default"] is held
    assert not set(connections().values()) & set(before.values())
    assert held.get("of-process") == 1
    for number in range(50):
        held.set(f"key-{number}", number)
        assert caches["default"].get(f"key-{number}") == number
    assert notices.take() == []

children = [in_child(work) for _ in range(2)]
for number in range(200):
    held.set(f"own-{number}", number)
    assert held.get(f"own-{number}") == number
for child in children:
    ended(child)
assert held.get("own-199") == 199
assert held.get("key-1") is None
# What the children did reached no connection of their parent.
assert connections() == before
ended(in_child(lambda: ended(in_child(work))))
"""


@pytest.fixture(params=[each for each in BACKENDS if each != "own-final"])
def backend(request):
    return request.param


@pytest.fixture
def connected(project, request, tmp_path):
    """Run some code in a process whose cache is connected to a server."""

    def run(backend, source, **environment):
        family = FAMILIES.get(backend, "memcached")
        caches = {
            "default": {
                "BACKEND": BACKENDS[backend],
                "LOCATION": request.getfixturevalue(f"{family}_server").location,
                "KEY_PREFIX": f"{backend}-{tmp_path.name[-20:]}",
            }
        }
        project.write("settings", f"CACHES = {caches!r}\n")
        project.write("backends", OWN)
        return project.python(BEGINNING + source, **environment)

    return run


def test_a_child_and_its_parent_use_a_held_cache_at_once(connected, backend):
    connected(backend, USED_AT_ONCE)


def test_a_backend_that_cannot_disconnect_harms_nobody_and_is_named(connected):
    connected(
        "own-final",
        """
def work():
    try:
        held.get("of-process")
    except OSError:
        pass
    else:
        raise AssertionError
    notice = notices.take()[0]
    assert "'default' (backends.OwnFinalCache)" in notice, notice

ended(in_child(work))
assert held.get("of-process") == 1
assert connections() == before
""",
    )
