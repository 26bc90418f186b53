"""The loop of the process that is set up once: a fork for every job that is sent.

The client decides how many jobs there are at a time. Nothing here waits for anybody but
in one place: jobs, what forks tell, their ends and their time limits all arrive there.
"""

from __future__ import annotations

import gc
import json
import os
import selectors
import signal
import socket
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any, Self

from django.core.cache import caches
from django.core.cache.backends.memcached import BaseMemcachedCache
from django.db import connections

from ci_cache_isolation.isolation import hook, switch
from ci_cache_isolation.isolation.purging import purge
from ci_cache_isolation.running.inside.child import Suite, live
from ci_cache_isolation.running.inside.fork import Fork
from ci_cache_isolation.running.jobs import FORKS_VARIABLE, Sections

__all__ = ["refuse", "serve"]

_PIECE = 1 << 16


def serve(suite: Suite[Any], databases: Iterable[str]) -> None:
    """Run what the client sends, until it hangs up.

    ``databases`` are the aliases that tests may use; they are set up.
    """
    if not suite.tests:
        refuse("no tests were found")
    elif not switch.is_installed():
        refuse("cache isolation can't be switched on in it")
    else:
        lasting = list(_lasting(databases))
        with _channel() as channel, _Server(suite, channel) as server:
            server.tell(
                tests=list(suite.tests),
                remark=_remark(lasting),
                is_one_at_a_time=bool(lasting),
            )
            gc.collect()
            # What the parent holds stays in memory that it shares with its forks.
            gc.freeze()
            try:
                server.serve()
            finally:
                gc.unfreeze()


def refuse(error: str) -> None:
    """Tell the client why nothing can be run here."""
    with _channel() as channel, suppress(OSError):
        channel.sendall(json.dumps({"error": error}).encode() + b"\n")


def _channel() -> socket.socket:
    """Take the inherited socket: programs that tests start must not inherit it."""
    channel = socket.socket(fileno=int(os.environ.pop(FORKS_VARIABLE)))
    channel.set_inheritable(False)
    return channel


def _lasting(aliases: Iterable[str]) -> Iterator[str]:
    """Yield the databases that are not copied when this process forks."""
    for alias in aliases:
        connection: Any = connections[alias]
        if connection.vendor == "unknown":
            # The dummy of a project that has no database.
            continue
        # Imported with the first query: once here, and not in every fork.
        connection.ops.compiler("SQLCompiler")
        if not getattr(connection, "is_in_memory_db", bool)():
            yield f"{alias!r} ({connection.vendor})"


def _remark(lasting: Sequence[str]) -> str:
    remarks = []
    if lasting:
        remarks.append(
            "One fork at a time, because all of them would use the same "
            f"database {' and '.join(lasting)}."
        )
    names = [each.name for each in threading.enumerate()]
    names.remove(threading.current_thread().name)
    if names:
        remarks.append(
            f"Threads were running when tests were forked ({', '.join(names)}): "
            "what waits for them there hangs."
        )
    return " ".join(remarks)


class _Server:
    """The client's socket, the forks, and the place where all of them are heard."""

    def __init__(self, suite: Suite[Any], channel: socket.socket) -> None:
        self._suite = suite
        self._channel = channel
        self._forks: dict[int, Fork] = {}
        self._received = b""
        self._unsent = b""
        self._is_gone = False
        self._left_something = False

    def __enter__(self) -> Self:
        self._selector = selectors.DefaultSelector()
        self._ended, self._ending = socket.socketpair()
        for each in (self._channel, self._ended, self._ending):
            each.settimeout(0)
        # With a handler, although it does nothing, the end of a fork is written there.
        self._handler = signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._ending.fileno(), warn_on_full_buffer=False)
        self._selector.register(self._channel, selectors.EVENT_READ, self._receive)
        self._selector.register(self._ended, selectors.EVENT_READ, self._wake)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()
        self._let_go()
        if self._left_something:
            with self._suite.queries_allowed():
                for _each in purge():
                    pass

    def serve(self) -> None:
        """Fork for what is sent, tell what became of it, until the client hangs up."""
        while not self._is_gone:
            deadlines = [fork.deadline for fork in self._forks.values()]
            left = min(deadlines) - time.monotonic() if deadlines else None
            for key, _ in self._selector.select(left if left is None else max(left, 0)):
                hear: Callable[[], None] = key.data
                hear()
            self._expire()
            self._reap()

    def tell(self, **message: object) -> None:
        """Send the client a line, when it takes it: nothing else may wait for that."""
        self._unsent += json.dumps(message).encode() + b"\n"
        self._flush()

    def _flush(self) -> None:
        try:
            while self._unsent:
                self._unsent = self._unsent[self._channel.send(self._unsent) :]
        except BlockingIOError:
            pass
        except OSError:
            self._is_gone = True
            return
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._unsent else 0)
        self._selector.modify(self._channel, wanted, self._receive)

    def _receive(self) -> None:
        self._flush()
        try:
            piece = self._channel.recv(_PIECE)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        self._is_gone = self._is_gone or not piece
        *lines, self._received = (self._received + piece).split(b"\n")
        for line in lines:
            job = json.loads(line)
            if "stop" in job:
                self._stop()
            else:
                self._fork(job)

    def _wake(self) -> None:
        with suppress(BlockingIOError):
            self._ended.recv(_PIECE)

    def _expire(self) -> None:
        for fork in self._forks.values():
            if time.monotonic() > fork.deadline and not fork.is_stopped:
                fork.is_stopped = True
                fork.kill()

    def _reap(self) -> None:
        for fork in list(self._forks.values()):
            if (status := self._ended_as(fork, os.WNOHANG)) is not None:
                self.tell(**fork.result(status))

    def _ended_as(self, fork: Fork, options: int) -> int | None:
        """Return the status that a fork has ended with, None if it is running."""
        pid, status = os.waitpid(fork.pid, options)
        if not pid:
            return None
        # What tests started and left running, in a job that is over.
        fork.kill()
        fork.listen()
        self._left_something = self._left_something or status != 0
        self._selector.unregister(fork.output)
        fork.close()
        del self._forks[fork.number]
        return status

    def _stop(self) -> None:
        for fork in list(self._forks.values()):
            fork.kill()
            self._ended_as(fork, 0)

    def _fork(self, job: dict[str, Any]) -> None:
        _let_go_of_connections()
        output, pipe = os.pipe()
        lifeline, ours = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        with warnings.catch_warnings():
            # Of threads: the client is told.
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if not pid:
            try:
                os.setpgid(0, 0)
                for each in (output, ours):
                    os.close(each)
                for fork in self._forks.values():
                    fork.close()
                self._let_go()
                self._channel.close()
                sections = Sections(job["sections"])
                live(self._suite, job["tests"], sections, pipe=pipe, lifeline=lifeline)
            finally:
                # Whatever has happened: there is one server, and this is not it.
                os._exit(1)
        with suppress(OSError):
            # In both: it may be killed before it has come to that.
            os.setpgid(pid, pid)
        for each in (pipe, lifeline):
            os.close(each)
        os.set_blocking(output, False)
        fork = Fork(job, pid, output, ours)
        self._forks[fork.number] = fork
        self._selector.register(output, selectors.EVENT_READ, fork.listen)

    def _let_go(self) -> None:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, self._handler)
        self._selector.close()
        self._ended.close()
        self._ending.close()


def _let_go_of_connections() -> None:
    """Leave forks nothing to share with each other on a server.

    A database in memory is not closed by that; forks get a copy of it.
    """
    connections.close_all()
    caches.close_all()
    for _, cache in hook.open_caches():
        # libmemcached's connections are never closed; a new client has its own.
        if isinstance(cache, BaseMemcachedCache):
            vars(cache).pop("_cache", None)
