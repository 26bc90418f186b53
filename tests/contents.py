"""Everything that somebody else keeps on a server, in a table or in a directory.

``fill()`` puts it there as other programs would, ``dump()`` reads it back exactly:
values byte for byte, and the moment at which each of them expires.
"""

import re
import socket
import time
from contextlib import closing
from functools import partial
from urllib.parse import unquote_to_bytes

from django.core.cache.backends.filebased import FileBasedCache
from pymemcache import Client

HOUR = 3600
# What the project under test calls its own keys, too.
NAMES = [":1:theirs", ":1:many-1", "second:7:theirs", "theirs", "*", "a[b]?", "\n"]


class RedisContents:
    """All databases of a Redis or Valkey; every type, with and without a TTL."""

    def __init__(self, server):
        self.clients = [server.client(), server.client()]
        self.clients[1].select(1)

    def fill(self):
        self.clients[0].flushall()
        for client in self.clients:
            for prefix in NAMES:
                client.set(prefix, b"\x80 pickled or not")
            for prefix in ("forever", "hour"):
                self._fill(client, prefix)
            for key in client.scan_iter("hour*"):
                client.expire(key, HOUR)

    def _fill(self, client, prefix):
        client.set(f"{prefix} integer", 41)
        client.setbit(f"{prefix} bits", 7, 1)
        client.pfadd(f"{prefix} hyperloglog", "a", "b")
        client.rpush(f"{prefix} list", *range(200))
        client.sadd(f"{prefix} set", "a", "b")
        client.zadd(f"{prefix} sorted set", {"a": 1, "b": 2})
        client.geoadd(f"{prefix} places", (13.4, 52.5, "Berlin"))
        client.hset(f"{prefix} hash", mapping={"a": 1, "b": 2})
        client.xadd(f"{prefix} stream", {"a": 1})

    def dump(self):
        return {
            (number, key): (
                client.dump(key),
                client.execute_command("PEXPIRETIME", key),
            )
            for number, client in enumerate(self.clients)
            for key in client.scan_iter(count=1000)
        }

    def forbidden(self):
        """Return the commands in the server's statistics that reach everybody."""
        stats = self.clients[0].info("commandstats")
        pattern = r"cmdstat_(flush|keys|swapdb|shutdown)"
        return [name for name in stats if re.match(pattern, name)]

    def begin_watching(self):
        self.clients[0].config_resetstat()

    def commands(self):
        """Return how often data were read or written."""
        stats = self.clients[0].info("commandstats")
        ours = r"cmdstat_(info|config|client|select|hello|ping)"
        return {
            name: stats[name]["calls"] for name in stats if not re.match(ours, name)
        }

    def close(self):
        for client in self.clients:
            client.close()


class MemcachedContents:
    """All items of a memcached; ``cas`` tells of any change whatever."""

    def __init__(self, server):
        # With answers: what was stored is there for the other connection too.
        self.client = Client(server.location, default_noreply=False)
        self.address = server.location.split(":")

    def fill(self):
        self.client.flush_all()
        for name in [":1:theirs", "second:7:theirs", "theirs", "*"]:
            self.client.set(name, b"\x80 pickled or not", flags=16)
            self.client.set(f"hour-{name}", b"1", expire=HOUR)

    def dump(self):
        items = {}
        for line in self._listed().splitlines():
            fields = dict(part.split(b"=", 1) for part in line.split() if b"=" in part)
            key = unquote_to_bytes(fields[b"key"])
            items[key] = fields[b"exp"], fields[b"cas"], self.client.get(key)
        return items

    def _listed(self):
        # Its lines end otherwise than all the others do, so the client can't read them.
        host, port = self.address
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            # Not "all": that misses what is moved from list to list meanwhile.
            connection.sendall(b"lru_crawler metadump hash\r\n")
            said = b""
            while not said.endswith(b"END\r\n"):
                said += connection.recv(65536)
                if said.startswith(b"BUSY"):
                    time.sleep(0.01)
                    return self._listed()
            return said.removesuffix(b"END\r\n")

    def forbidden(self):
        flushes = int(self.client.stats()[b"cmd_flush"]) - self.flushes
        return ["flush_all"] * flushes

    def begin_watching(self):
        self.flushes = int(self.client.stats()[b"cmd_flush"])

    def commands(self):
        """Return how often data were read or written."""
        stats = self.client.stats()
        return {name: stats[name] for name in (b"cmd_get", b"cmd_set", b"cmd_touch")}

    def close(self):
        self.client.close()


class FileContents:
    """A directory with entries of a cache, and with files that are no entries."""

    def __init__(self, path):
        self.path = path

    def fill(self):
        cache = FileBasedCache(str(self.path), {})
        for name in ("theirs", "many-1"):
            cache.set(name, name)
            cache.set(f"forever-{name}", name, timeout=None)
        for name in ("notes.txt", "broken.djcache", "sub/entry.djcache"):
            file = self.path / name
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(b"\x80 not ours")

    def dump(self):
        return {
            str(path.relative_to(self.path)): path.read_bytes()
            if path.is_file()
            else ""
            for path in self.path.rglob("*")
        }

    def begin_watching(self):
        pass

    def forbidden(self):
        return []

    def close(self):
        pass


def _executed(cursor, sql):
    cursor.execute(sql)
    return cursor


class TableContents:
    """The cache table of every test database that is kept from run to run."""

    def __init__(self, connect, names):
        self.connect = connect
        self.names = names

    def fill(self):
        for execute in self._each():
            execute("DELETE FROM cache_table")
            for name in [*NAMES, "0", "zzzzzzzzzzzz:1:theirs"]:
                execute(
                    "INSERT INTO cache_table (cache_key, value, expires) "
                    f"VALUES ('{name}', 'gASVBQAAAAAAAACMAWGULg==', '2999-01-01')"
                )

    def dump(self):
        return {
            (number, tuple(row))
            for number, execute in enumerate(self._each())
            for row in execute("SELECT * FROM cache_table").fetchall()
        }

    def _each(self):
        for name in self.names:
            with closing(self.connect(name)) as connection:
                cursor = connection.cursor()
                yield partial(_executed, cursor)
                connection.commit()

    def begin_watching(self):
        pass

    def forbidden(self):
        return []

    def close(self):
        pass
