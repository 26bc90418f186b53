"""Random programs of cache operations: isolated caches do what plain ones do.

A program opens and closes scopes and transactions, works in outer scopes, moves the
clock and calls methods of a cache, directly, from threads and as coroutines. The same
calls go to a plain cache of the same backend. What a scope means is done to that one
by brute force: all that it holds is read when a scope begins and put back when it ends.
"""

from __future__ import annotations

import asyncio
import importlib.util
import time
import warnings
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import time_machine
from django.core.cache.backends import locmem
from django.db import connections, router, transaction
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
)

from ci_cache_isolation.isolation.scopes import Scope, ScopeKind

KEYS = ["a", "b", "c", "d"]
VERSIONS = [None, 1, 2]
TIMEOUTS = ["default", None, 1000, 0, -1]
SHORT = 1000
DEEPEST = 5

keys = st.sampled_from(KEYS)
versions = st.sampled_from(VERSIONS)
values = st.sampled_from([0, 1, 41, "text", "", [1, "two"]])
timeouts = st.sampled_from(TIMEOUTS)


class Model(ABC):
    """A plain cache: ``dump()`` reads all that it holds, ``load()`` puts it back.

    ``names`` are what it calls its entries, by key and version.
    """

    def __init__(self, cache):
        self.cache = cache

    def name(self, key, version):
        return self.cache.make_key(key, version)

    @abstractmethod
    def dump(self):
        """Return all entries by name."""

    @abstractmethod
    def load(self, entries):
        """Have these entries, and no others."""

    def call(self, name, args, options, how):
        return outcome(self.cache, name, args, options, how)


class MemoryModel(Model):
    """Django's own class from a second copy of its module: nothing else knows of it."""

    def __init__(self):
        spec = importlib.util.spec_from_file_location("plain_locmem", locmem.__file__)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        super().__init__(module.LocMemCache("plain", {}))

    def dump(self):
        expiries = self.cache._expire_info
        return {key: (each, expiries[key]) for key, each in self.cache._cache.items()}

    def load(self, entries):
        self.cache._cache.clear()
        self.cache._expire_info.clear()
        for key, (value, expiry) in entries.items():
            self.cache._cache[key], self.cache._expire_info[key] = value, expiry


class DictionaryModel(Model):
    """A backend of a project's own."""

    def dump(self):
        """Leave out what has expired: it keeps that, but nobody sees it."""
        held = self.cache._holds
        return {name: each for name, each in self.cache.entries.items() if held(name)}

    def load(self, entries):
        self.cache.entries.clear()
        self.cache.entries.update(entries)


class FilesModel(Model):
    def name(self, key, version):
        return Path(self.cache._key_to_file(key, version)).name

    def dump(self):
        return {each.name: each.read_bytes() for each in self._files()}

    def load(self, entries):
        for each in self._files():
            each.unlink()
        for name, content in entries.items():
            Path(self.cache._dir).mkdir(exist_ok=True)
            (Path(self.cache._dir) / name).write_bytes(content)

    def _files(self):
        return Path(self.cache._dir).glob("*.djcache")


class TableModel(Model):
    def dump(self):
        rows = self._run(f"SELECT cache_key, value, expires FROM {self._table}")
        return {key: (value, expires) for key, value, expires in rows}

    def load(self, entries):
        self._run(f"DELETE FROM {self._table}")
        for key, (value, expires) in entries.items():
            self._run(
                f"INSERT INTO {self._table} (cache_key, value, expires)"
                " VALUES (%s, %s, %s)",
                [key, value, expires],
            )

    @property
    def database(self):
        return router.db_for_write(self.cache.cache_model_class)

    @property
    def _table(self):
        return connections[self.database].ops.quote_name(self.cache._table)

    def _run(self, statement, parameters=None):
        with connections[self.database].cursor() as cursor:
            cursor.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else []


class RedisModel(Model):
    """In databases of its own. Only whether an entry expires is compared."""

    def __init__(self, cache, clients):
        super().__init__(cache)
        self.clients = clients

    def name(self, key, version):
        holder = getattr(self.cache, "client", self.cache)
        return str(holder.make_key(key, version=version))

    def dump(self):
        return {
            key.decode(): (number, client.dump(key), client.pttl(key))
            for number, client in enumerate(self.clients)
            for key in client.scan_iter(count=1000)
        }

    def load(self, entries):
        for client in self.clients:
            client.flushdb()
        for key, (number, value, ttl) in entries.items():
            self.clients[number].restore(key, max(ttl, 0), value)


class MemcachedModel(Model):
    """Nobody can ask a memcached what it holds: the names that a program may use.

    It has a prefix of its own there, which errors name.
    """

    PREFIX = "plain"

    def call(self, name, args, options, how):
        if name == "clear":
            # Its own would empty the server, where the other cache is as well.
            return self.load({}), []
        result, said = super().call(name, args, options, how)
        if isinstance(result, tuple) and isinstance(result[0], type):
            result = result[0], result[1].replace(f"{self.PREFIX}:", ":")
        return result, said

    def dump(self):
        found = {}
        for key in KEYS:
            for version in (1, 2):
                value = self.cache.get(key, self, version)
                if value is not self:
                    found[self.name(key, version)] = key, version, value
        return found

    def load(self, entries):
        for key in KEYS:
            for version in (1, 2):
                self.cache.delete(key, version)
        for key, version, value in entries.values():
            self.cache.set(key, value, None, version)


def outcome(cache, name, args, options, how):
    """Call a method; return what came of it: result or error, and warnings."""
    if how == "coroutine":
        method = getattr(cache, f"a{name}", None)
        if method is None:
            how = "directly"

    def call():
        if how == "coroutine":
            return asyncio.run(method(*args, **options))
        return getattr(cache, name)(*args, **options)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = THREADS.submit(call).result() if how == "thread" else call()
        except Exception as error:  # noqa: BLE001 - it is what is compared
            result = type(error), str(error)
    said = [(each.category, str(each.message)) for each in caught]
    return result, [each for each in said if each[0] is not ResourceWarning]


THREADS = ThreadPoolExecutor(8)
WRITING = {"set", "set_many", "add", "touch", "incr", "decr", "get_or_set"}


class Programs(RuleBasedStateMachine):
    """Needs ``cache``, ``sections`` and ``model`` on the class."""

    cache = sections = model = None
    ways = ("directly", "thread", "coroutine")
    moves_clock = True

    def __init__(self):
        super().__init__()
        # Open scopes and transactions, outermost first; what the model held around.
        self.open = []
        self.around = []
        self.travel = None
        self.number = 0

    def teardown(self):
        while self.open:
            self.leave(rolls_back=False)
        if self.travel is not None:
            self.travel.stop()
        self.cache.clear()
        self.sections.tidy()
        self.model.load({})

    # Operations

    def do(self, name, *args, **options):
        how = options.pop("how", "directly")
        if options.get("timeout") == "default":
            del options["timeout"]
        if options.get("version", 0) is None:
            del options["version"]
        expected = self.model.call(name, args, options, how)
        found = outcome(self.cache, name, args, options, how)
        assert found == expected, (name, args, options, how)
        return expected[0]

    def way(self, data):
        return data.draw(st.sampled_from(self.ways), label="how")

    @rule(data=st.data(), key=keys, value=values, timeout=timeouts, version=versions)
    def set(self, data, key, value, timeout, version):
        self.do("set", key, value, timeout=timeout, version=version, how=self.way(data))

    @rule(data=st.data(), key=keys, value=values, timeout=timeouts, version=versions)
    def add(self, data, key, value, timeout, version):
        self.do("add", key, value, timeout=timeout, version=version, how=self.way(data))

    @rule(data=st.data(), key=keys, version=versions)
    def get(self, data, key, version):
        self.do("get", key, "default", version=version, how=self.way(data))

    @rule(data=st.data(), key=keys, version=versions)
    def has_key(self, data, key, version):
        self.do("has_key", key, version=version, how=self.way(data))

    @rule(data=st.data(), key=keys, timeout=timeouts, version=versions)
    def touch(self, data, key, timeout, version):
        self.do("touch", key, timeout=timeout, version=version, how=self.way(data))

    @rule(data=st.data(), key=keys, version=versions)
    def delete(self, data, key, version):
        self.do("delete", key, version=version, how=self.way(data))

    @rule(
        data=st.data(),
        key=keys,
        name=st.sampled_from(["incr", "decr"]),
        delta=st.sampled_from([1, 5]),
        version=versions,
    )
    def count(self, data, key, name, delta, version):
        self.do(name, key, delta, version=version, how=self.way(data))

    @rule(data=st.data(), key=keys, value=values, timeout=timeouts)
    def get_or_set(self, data, key, value, timeout):
        self.do("get_or_set", key, value, timeout=timeout, how=self.way(data))

    @rule(data=st.data(), some=st.lists(keys, unique=True), version=versions)
    def get_many(self, data, some, version):
        self.do("get_many", some, version=version, how=self.way(data))

    @rule(
        data=st.data(),
        some=st.dictionaries(keys, values),
        timeout=timeouts,
        version=versions,
    )
    def set_many(self, data, some, timeout, version):
        self.do("set_many", some, timeout=timeout, version=version, how=self.way(data))

    @rule(data=st.data(), some=st.lists(keys, unique=True), version=versions)
    def delete_many(self, data, some, version):
        self.do("delete_many", some, version=version, how=self.way(data))

    @rule(data=st.data())
    def clear(self, data):
        self.do("clear", how=self.way(data))

    @rule(key=keys, name=st.sampled_from(["incr_version", "decr_version"]))
    def change_version(self, key, name):
        version = {"incr_version": 1, "decr_version": 2}[name]
        self.do(name, key, version=version)

    @rule(version=versions)
    def look_at_all(self, version):
        self.do("get_many", KEYS, version=version)

    # Scopes and transactions

    @precondition(lambda self: len(self.open) < DEEPEST)
    @rule(kind=st.sampled_from([ScopeKind.CLASS, ScopeKind.TEST, ScopeKind.BLOCK]))
    def begin(self, kind):
        self.number += 1
        self.sections.begin(Scope(kind, f"app.{kind.value}{self.number}"))
        self.open.append("scope")
        self.around.append(self.model.dump())

    @precondition(lambda self: self.open)
    @rule(rolls_back=st.booleans())
    def leave(self, rolls_back):
        what = self.open.pop()
        if what == "scope":
            self.sections.end()
            self.model.load(self.around.pop())
            return
        block, around = what
        if rolls_back:
            transaction.set_rollback(True, using=self.model.database)
            self.around = around
        block.__exit__(None, None, None)

    @precondition(
        lambda self: isinstance(self.model, TableModel) and len(self.open) < DEEPEST
    )
    @rule()
    def begin_transaction(self):
        block = transaction.atomic(using=self.model.database)
        block.__enter__()
        self.open.append((block, list(self.around)))

    # What a fixture of a wider scope does in the middle of a narrower one

    @precondition(lambda self: self.open and all(each == "scope" for each in self.open))
    @rule(data=st.data())
    def work_in_an_outer_scope(self, data):
        depth = data.draw(st.integers(0, len(self.around) - 1), label="depth")
        inner = self.model.dump()
        before = self.around[depth]
        self.model.load(before)
        with self.sections.at(depth):
            name, changed = self._some_operation(data)
        after = self.model.dump()
        self.around[depth] = after
        if name in WRITING:
            changed = {each for each in changed if each in after}
        else:
            changed = set()
        changed |= {
            each
            for each in {*before, *after}
            if self.without_ttl(before.get(each)) != self.without_ttl(after.get(each))
        }
        for held in (*self.around[depth + 1 :], inner):
            for each in changed:
                held.pop(each, None)
                if each in after:
                    held[each] = after[each]
        self.model.load(inner)

    def _some_operation(self, data):
        name = data.draw(
            st.sampled_from(
                ["set", "add", "incr", "touch", "delete", "clear", "get", "set_many"]
            ),
            label="operation",
        )
        key = data.draw(keys, label="key")
        version = data.draw(versions, label="version")
        made = self.model.name(key, version or 1)
        if name == "clear":
            self.do("clear")
            return name, set()
        if name == "set_many":
            self.do("set_many", {key: 7}, version=version)
            return name, {made}
        arguments = {"set": (5,), "add": (6,), "get": ("default",)}.get(name, ())
        result = self.do(name, key, *arguments, version=version)
        did = name == "set" or (name in WRITING and isinstance(result, (bool, int)))
        return name, {made} if did and result is not False else set()

    @staticmethod
    def without_ttl(entry):
        """Leave out of a Redis entry what changes by itself."""
        if isinstance(entry, tuple) and isinstance(entry[0], int) and len(entry) == 3:
            return entry[1], entry[2] < 0
        return entry

    # Time

    @precondition(lambda self: self.moves_clock)
    @rule(seconds=st.sampled_from([-5 * SHORT, SHORT // 2, 2 * SHORT]))
    def move_the_clock(self, seconds):
        now = time.time() if self.travel is None else self.moment
        self.moment = now + seconds
        if self.travel is not None:
            self.travel.stop()
        self.travel = time_machine.travel(self.moment, tick=False)
        self.travel.start()

    @precondition(lambda self: self.travel is not None)
    @rule()
    def come_back(self):
        self.travel.stop()
        self.travel = None

    @initialize()
    def nothing_is_there(self):
        assert self.model.dump() == {}
