"""The loop of the process that is set up once: a fork for every job that is sent.

The client decides how many jobs there are at a time. Nothing here waits for anybody but
in one place: jobs, ends of forks and time limits all arrive there. What forks tell is
collected now and then, since to be woken by each word costs more than many a test.
"""

from __future__ import annotations

import fcntl
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
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, closing, nullcontext, suppress
from importlib import import_module
from types import FrameType, MappingProxyType
from typing import Any, Self

from django.conf import settings

from ci_cache_isolation.isolation import listeners, switch
from ci_cache_isolation.isolation.clocks import steady
from ci_cache_isolation.isolation.common_sections import Meetings
from ci_cache_isolation.isolation.memoised import MEMOISED
from ci_cache_isolation.isolation.purging import purge
from ci_cache_isolation.running.forking import why_unsafe
from ci_cache_isolation.running.inside.child import WHOLE_SUITE, Suite, live
from ci_cache_isolation.running.inside.databases import (
    CannotCloneError,
    Slot,
    Slots,
    lasting,
    let_go_of_connections,
)
from ci_cache_isolation.running.inside.fork import Fork
from ci_cache_isolation.running.inside.preloading import import_cache_clients
from ci_cache_isolation.running.jobs import FORKS_VARIABLE, Job
from ci_cache_isolation.state.look import taken
from ci_cache_isolation.state.where import Where

__all__ = ["is_of_tools", "refuse", "serve"]

_TOOLS = frozenset({"coverage", "execnet", "pytest_rerunfailures", "xdist"})
"""Packages whose threads talk to other processes of a run, and not to its tests."""
_PIECE = 1 << 16
_PIPE = 1 << 20
"""Bytes that forks can tell, where the system allows it, before they have to wait."""
_INTERVAL = 0.1
"""Seconds after which what was told is collected, at the latest."""


def serve(suite: Suite[Any], databases: Iterable[str]) -> None:
    """Run what the client sends, until it hangs up.

    ``databases`` are the aliases that tests may use; they are set up.
    """
    if not suite.tests:
        refuse("no tests were found")
    elif not switch.is_installed():
        refuse("cache isolation can't be switched on in it")
    else:
        found = lasting(databases)
        let_go_of_connections()
        slots = Slots(found, suite.queries_allowed)
        with (
            _channel() as channel,
            closing(slots),
            _Server(suite, slots, channel) as server,
        ):
            why_not = slots.why_not()
            threads = _threads_that_matter()
            server.tell(
                tests=[each.to_json() for each in suite.described],
                settings=str(getattr(settings, "SETTINGS_MODULE", "") or ""),
                remark=_remark(suite.remark, why_not, threads),
                unsafe=why_unsafe(threads),
                isolating=suite.isolating,
                is_one_at_a_time=bool(why_not),
            )
            gc.collect()
            import_cache_clients()
            # What is frozen can't be found any more.
            MEMOISED.find()
            # What the parent holds stays in memory that it shares with its forks.
            gc.freeze()
            try:
                server.serve()
            finally:
                gc.unfreeze()


def refuse(error: str, not_loaded: Mapping[str, str] = MappingProxyType({})) -> None:
    """Tell the client why nothing can be run here.

    ``not_loaded`` holds modules that can't be imported, each with the reason.
    """
    answer = {"error": error, "not_loaded": dict(not_loaded)}
    with _channel() as channel, suppress(OSError):
        channel.sendall(json.dumps(answer).encode() + b"\n")


def _channel() -> socket.socket:
    """Take the inherited socket: programs that tests start must not inherit it."""
    channel = socket.socket(fileno=int(os.environ.pop(FORKS_VARIABLE)))
    channel.set_inheritable(False)
    return channel


def _threads_that_matter() -> list[str]:
    """Return the other threads, but for those of tools that no test waits for."""
    frames = sys._current_frames()  # noqa: SLF001 - there is no other way to ask
    return [
        each.name
        for each in threading.enumerate()
        if each is not threading.current_thread()
        and not is_of_tools(frames.get(each.ident or 0))
    ]


def is_of_tools(frame: FrameType | None) -> bool:
    """Return whether a thread runs nothing but tools and the standard library."""
    packages: set[str] = set()
    while frame is not None:
        packages.add(str(frame.f_globals.get("__name__", "")).partition(".")[0])
        frame = frame.f_back
    packages -= sys.stdlib_module_names
    return bool(packages) and packages <= _TOOLS


def _remark(of_suite: str, why_not_cloned: str, threads: Sequence[str]) -> str:
    remarks = [of_suite] if of_suite else []
    if why_not_cloned:
        remarks.append(
            "One fork at a time, and all of them in the same databases, because "
            f"{why_not_cloned.rstrip('.')}."
        )
    if threads:
        remarks.append(
            f"Threads were running when tests were forked ({', '.join(threads)}): "
            "what waits for them there hangs."
        )
    return " ".join(remarks)


class _Server:
    """The client's socket, the forks, and the place where all of them are heard."""

    def __init__(self, suite: Suite[Any], slots: Slots, channel: socket.socket) -> None:
        self._suite = suite
        self._slots = slots
        self._meetings = Meetings()
        self._channel = channel
        self._forks: dict[int, Fork] = {}
        self._received = b""
        self._unsent = b""
        self._is_gone = False

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
        with self._suite.queries_allowed():
            self._meetings.close()
            # What forks left that died, and what an earlier server did.
            for _each in purge(in_ours=True):
                pass

    def serve(self) -> None:
        """Fork for what is sent, tell what became of it, until the client hangs up."""
        while not self._is_gone:
            left = None
            if self._forks:
                deadline = min(fork.deadline for fork in self._forks.values())
                left = min(max(deadline - time.monotonic(), 0), _INTERVAL)
            for key, _ in self._selector.select(left):
                hear: Callable[[], None] = key.data
                hear()
            for fork in self._forks.values():
                fork.listen()
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
            sent = json.loads(line)
            if "stop" in sent:
                # A test may have begun just now.
                for fork in self._forks.values():
                    fork.listen()
                self.tell(stopped=self._running())
                self._stop()
                continue
            job = Job.from_json(sent["job"])
            try:
                slot = self._slots.take()
            except CannotCloneError as error:
                # Without what they need, tests would say nothing.
                self.tell(error=f"the database {error}")
                continue
            with self._common(job.common):
                self._fork(sent["number"], job, slot)

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
                self.tell(number=fork.number, forked=fork.result(status).to_json())

    def _ended_as(self, fork: Fork, options: int) -> int | None:
        """Return the status that a fork has ended with, None if it is running."""
        pid, status = os.waitpid(fork.pid, options)
        if not pid:
            return None
        # What tests started and left running, in a job that is over.
        fork.kill()
        fork.listen()
        fork.close()
        self._slots.give_back(fork.slot)
        del self._forks[fork.number]
        return status

    def _running(self) -> dict[str, float]:
        """Return the tests that are running, and how many seconds each has run."""
        return {
            fork.told.running: round(steady() - fork.told.begun[fork.told.running], 3)
            for fork in self._forks.values()
            if fork.told.running is not None
        }

    def _stop(self) -> None:
        for fork in list(self._forks.values()):
            fork.kill()
            self._ended_as(fork, 0)

    def _common(self, tag: str) -> AbstractContextManager[None]:
        """Have a fork work in the sections of a tag, if there is one."""
        if not tag:
            return nullcontext()
        with self._suite.queries_allowed():
            return self._meetings.at(tag)

    def _fork(self, number: int, job: Job, slot: Slot | None) -> None:
        if job.needs_look:
            # Here, once: so all forks speak of the same containers. And what they need
            # for it is loaded.
            import_module(WHOLE_SUITE)
            listeners.preload()
            if job.where is not Where.ROWS:
                taken(job.where)
        let_go_of_connections()
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
                live(self._suite, job, slot, pipe=pipe, lifeline=lifeline)
            finally:
                # Whatever has happened: there is one server, and this is not it.
                os._exit(1)
        with suppress(OSError):
            # In both: it may be killed before it has come to that.
            os.setpgid(pid, pid)
        for each in (pipe, lifeline):
            os.close(each)
        os.set_blocking(output, False)
        with suppress(OSError, AttributeError):
            fcntl.fcntl(output, fcntl.F_SETPIPE_SZ, _PIPE)
        fork = Fork(number, job, pid, (output, ours), slot)
        self._forks[fork.number] = fork

    def _let_go(self) -> None:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, self._handler)
        self._selector.close()
        self._ended.close()
        self._ending.close()
