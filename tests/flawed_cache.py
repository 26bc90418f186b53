"""A backend as a project writes one, whose flaws break one promise of isolation each.

``OPTIONS["flaws"]`` names those that a cache has; without any it is sound. Entries are
files in LOCATION, so that processes share them. Projects under test get a copy.
"""

import hashlib
import os
import pickle
import threading
import time
from pathlib import Path

from django.core.cache import caches
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.cache.backends.db import DatabaseCache
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.redis import RedisCache
from django.db import connection

SEEN = {}
STARTED = time.monotonic() - time.time()


class Shelf(BaseCache):
    """Keeps each entry in a file, named by a digest of its key."""

    def __init__(self, location, params):
        super().__init__(params)
        self._dir = Path(location)
        self._dir.mkdir(parents=True, exist_ok=True)
        self.flaws = params.get("OPTIONS", {}).get("flaws", ())
        if self.has("opened"):
            raise RuntimeError("a cache that can't be opened with isolation")

    def has(self, flaw):
        """Return whether a flaw is to show: in isolated processes only."""
        return flaw in self.flaws and os.environ["CI_CACHE_ISOLATION"] == "on"

    def is_made(self, key):
        """Return whether isolation calls, which knows what keys have become."""
        return self.make_key(key) == key

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        if self.has("scopes") and self.is_made(key):
            return False
        if self.has_key(key, version):
            return False
        self.set(key, value, timeout, version)
        return True

    def get(self, key, default=None, version=None):
        if "off" in self.flaws and "off-" in str(key):
            return default
        if self.has("async") and threading.current_thread().name.startswith(
            "ThreadPool"
        ):
            return default
        if self.has("threads") and threading.current_thread().name.startswith(
            "Thread-"
        ):
            return default
        if self.has("clocks") and abs(time.monotonic() - time.time() - STARTED) > 1000:
            return default
        found = self._read(self._path(key, version))
        if found is None and self.has("undone"):
            return SEEN.get((key, version), default)
        return default if found is None else found[0]

    def get_many(self, keys, version=None):
        return {} if self.has("bulk") else super().get_many(keys, version)

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        path = self._path(key, version)
        if self.has("timeouts") and timeout == 2:
            timeout = None
        self._write(path, (pickle.dumps(value), self.get_backend_timeout(timeout)))
        if self.has("plain-keys") and not self.is_made(key):
            plain = self._named(f":{version or 1}:{key}")
            self._write(plain, (pickle.dumps(value), None))
        if self.has("undone"):
            SEEN[key, version] = value
        if self.has("held"):
            caches["held"] = type(self)(str(self._dir), {})

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        found = self._read(self._path(key, version))
        if found is not None:
            self.set(key, found[0], timeout, version)
        return found is not None

    def delete(self, key, version=None):
        if self.has("left") and self.is_made(key):
            return False
        if self.has("own") and self.is_made(key):
            self._empty()
        if self.has("foreign"):
            self._named(f":{version or 1}:{key}").unlink(missing_ok=True)
        path = self._path(key, version)
        is_there = self._read(path) is not None
        path.unlink(missing_ok=True)
        return is_there

    def has_key(self, key, version=None):
        return self._read(self._path(key, version)) is not None

    def incr(self, key, delta=1, version=None):
        if self.has("words") and not self.has_key(key, version):
            raise ValueError("no such key")
        return super().incr(key, delta, version) + 100 * self.has("calls")

    def incr_version(self, key, delta=1, version=None):
        return super().incr_version(key, delta + self.has("versions"), version)

    def peek(self, key):
        """Return an entry: a method that other backends don't have."""
        return "nothing" if self.has("extras") else self.get(key)

    def clear(self):
        self._empty()

    def _path(self, key, version):
        if self.has("processes"):
            return self._named(f"{key}{version}")
        made = self.make_and_validate_key(key, version)
        if self.has("keys") and not made.isascii():
            made = f"{made}{time.monotonic_ns()}"
        return self._named(made)

    def _named(self, made):
        return self._dir / hashlib.blake2b(made.encode(), digest_size=20).hexdigest()

    @staticmethod
    def _write(path, entry):
        fresh = path.with_suffix(f".{threading.get_ident()}-{os.getpid()}")
        fresh.write_bytes(pickle.dumps(entry))
        fresh.replace(path)

    @staticmethod
    def _read(path):
        try:
            value, expiry = pickle.loads(path.read_bytes())
        except FileNotFoundError:
            return None
        if expiry is not None and expiry <= time.time():
            return None
        return pickle.loads(value), expiry

    def _empty(self):
        for path in self._dir.iterdir():
            path.unlink(missing_ok=True)


class UnclearedFiles(FileBasedCache):
    """Does nothing where it should clear."""

    def clear(self):
        pass


class ForgetfulTable(DatabaseCache):
    """Finds nothing in a transaction."""

    def get_many(self, keys, version=None):
        isolated = os.environ["CI_CACHE_ISOLATION"] == "on"
        if isolated and connection.in_atomic_block:
            return {}
        return super().get_many(keys, version)


class FlushingRedis(RedisCache):
    """Has a ``clear`` that goes past what isolation wraps."""

    def clear(self):
        return self._cache.clear()


class ChattyRedis(RedisCache):
    """Asks its server whenever a test ends, by way of a watcher of the stack."""

    def __init__(self, *args):
        super().__init__(*args)
        from ci_cache_isolation.isolation.switch import STACK  # noqa: PLC0415

        STACK.forget = lambda: self._cache.get_client().ping()
