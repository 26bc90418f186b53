"""Playing a program on a cache, and taking note of what came of each call."""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from unittest import mock

from django.core.cache import caches
from django.db import connections, transaction

from ci_cache_isolation.probing.outcomes import Outcome, said, shown
from ci_cache_isolation.probing.steps import (
    At,
    Awaited,
    Call,
    Clear,
    Clock,
    InThread,
    Key,
    Number,
    Program,
    Race,
    RolledBack,
    Step,
    Wait,
)

__all__ = ["Player"]

_clock = time.time
VERSIONS = (None, *range(1, 9))
"""All versions under which programs store anything, and the alias's own."""


class Player:
    """Plays programs on one cache, with keys behind one token.

    ``database`` is the alias of the database that holds the cache, if any does.
    """

    def __init__(
        self,
        alias: str,
        token: str,
        *,
        is_plain: bool,
        database: str | None = None,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self.alias = alias
        self.token = token
        self.is_plain = is_plain
        self.database = database
        self.keys: dict[Any, None] = {}
        # Connections of asynchronous clients belong to the loop that they were made in.
        self._given = loop
        self._loop = loop or asyncio.new_event_loop()

    @property
    def cache(self) -> Any:
        """The cache as the running thread gets it."""
        return caches[self.alias]

    @property
    def is_async(self) -> bool:
        """Whether all methods of the cache are coroutines."""
        return inspect.iscoroutinefunction(getattr(type(self.cache), "get", None))

    def play(self, program: Program) -> list[Outcome]:
        """Play a program."""
        return [outcome for step in program for outcome in self._played(step)]

    def forget(self) -> None:
        """Delete by name whatever was stored, in every version."""
        for key in self.keys:
            for version in VERSIONS:
                with suppress(Exception):
                    self.finished(self.cache.delete(key, version=version))

    def close(self) -> None:
        """Let go of what the player holds."""
        if self._given is None:
            self._loop.close()

    def finished(self, result: Any) -> Any:
        """Return what a call returned; awaited, if that is what it is for."""
        if not inspect.isawaitable(result):
            return result

        async def wait() -> Any:
            return await result

        return self._loop.run_until_complete(wait())

    def _played(self, step: Step) -> Iterator[Outcome]:
        match step:
            case Call():
                yield self._called(step)
            case Awaited():
                yield self._called(step.call, "await ")
            case Clear():
                yield self._cleared(step)
            case Wait():
                time.sleep(step.seconds)
            case InThread() | Race() if self.is_async:
                # A connection made in one event loop can't be used in another.
                return
            case InThread():
                yield from self._in_threads([step.steps])[0]
            case Race():
                yield self._raced(step)
            case RolledBack():
                yield from self._rolled_back(step)
            case Clock():
                moment = _clock() + step.seconds
                with mock.patch("time.time", return_value=moment):
                    yield from self.play(step.steps)

    def _called(self, call: Call, start: str = "") -> Outcome:
        return self._outcome(f"{start}{call}", lambda: self._value(call), call)

    def _value(self, call: Call) -> Any:
        arguments = [self._resolved(each) for each in call.args]
        named = {name: self._resolved(value) for name, value in call.kwargs}
        if call.method == "__contains__":
            return arguments[0] in self.cache
        return _used(
            self.finished(getattr(self.cache, call.method)(*arguments, **named))
        )

    def _outcome(
        self, text: str, action: Callable[[], Any], call: Call | None = None
    ) -> Outcome:
        value = error = ""
        about = None
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                result = action()
                if call and call.is_rough and type(result) in {int, float}:
                    about = float(result)
                else:
                    value = shown(result, self.token)
            except Exception as raised:  # noqa: BLE001 - whatever a backend raises
                kind = type(raised)
                name = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
                error = said(f"{name}{kind.__qualname__}: {raised}", self.token)
        warned = [
            said(f"{each.category.__name__}: {each.message}", self.token)
            for each in caught
            if not issubclass(each.category, ResourceWarning)
        ]
        return Outcome(text, value, error, tuple(warned), about)

    def _resolved(self, value: Any) -> Any:
        match value:
            case Key() | Number():
                key = value.under(self.token)
                if not (isinstance(value, Key) and value.is_pattern):
                    self.keys[key] = None
                return key
            case At():
                return int(_clock()) + value.seconds
            case dict():
                return {
                    self._resolved(key): self._resolved(each)
                    for key, each in value.items()
                }
            case list() | tuple():
                return type(value)(self._resolved(each) for each in value)
            case _:
                return value

    def _cleared(self, step: Clear) -> Outcome:
        def clear() -> None:
            if self.is_plain:
                self.forget()
            elif step.is_async and hasattr(self.cache, "aclear"):
                self.finished(self.cache.aclear())
            else:
                # What it returns is left out: nothing like it was called plainly.
                self.finished(self.cache.clear())

        return self._outcome("await aclear()" if step.is_async else "clear()", clear)

    def _raced(self, step: Race) -> Outcome:
        played = self._in_threads(step.threads)
        errors = {each.error for outcomes in played for each in outcomes if each.error}
        return Outcome(
            f"{len(step.threads)} threads at once", error="; ".join(sorted(errors))
        )

    def _in_threads(self, programs: Iterable[Program]) -> list[list[Outcome]]:
        programs = list(programs)
        played: list[list[Outcome]] = [[] for _ in programs]
        players = [self._beside() for _ in programs]
        together = threading.Barrier(len(programs))

        def work(number: int) -> None:
            _ = players[number].cache
            together.wait()
            try:
                played[number] = players[number].play(programs[number])
            finally:
                with suppress(Exception):
                    players[number].cache.close()
                connections.close_all()

        threads = [
            threading.Thread(target=work, args=(number,), daemon=True)
            for number in range(len(programs))
        ]
        for thread in threads:
            thread.start()
        for thread, player in zip(threads, players, strict=True):
            thread.join()
            self.keys |= player.keys
            player.close()
        return played

    def _beside(self) -> Player:
        return Player(
            self.alias, self.token, is_plain=self.is_plain, database=self.database
        )

    def _rolled_back(self, step: RolledBack) -> Iterator[Outcome]:
        if self.database is not None:
            with self._undoing(is_savepoint=step.is_savepoint):
                played = self.play(step.steps)
            yield from played

    @contextmanager
    def _undoing(self, *, is_savepoint: bool) -> Iterator[None]:
        if is_savepoint:
            with transaction.atomic(self.database), self._undoing(is_savepoint=False):
                yield
        else:
            with transaction.atomic(self.database):
                yield
                transaction.set_rollback(rollback=True, using=self.database)


def _used(value: Any) -> Any:
    """Return what an object that a call returned is good for, as far as that is known.

    A lock is taken and given back, something like a list or a dictionary is shown and
    then added to: the next one to get it would see that.
    """
    kind = type(value)
    if hasattr(kind, "acquire") and hasattr(kind, "release"):
        is_taken = value.acquire(blocking=False)
        if is_taken:
            value.release()
        return kind.__name__, is_taken
    if kind.__module__ == "builtins" or not hasattr(kind, "__iter__"):
        return value
    if hasattr(kind, "append"):
        found = list(value)
        value.append("added")
        return kind.__name__, found
    if hasattr(kind, "keys") and hasattr(kind, "__setitem__"):
        held = {key: value[key] for key in value}
        value["added"] = 1
        return kind.__name__, held
    return value
