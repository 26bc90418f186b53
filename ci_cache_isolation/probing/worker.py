"""A process that plays programs on one alias as it is told to, isolated or plainly."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.core.cache import BaseCache, caches
from django.utils.module_loading import import_string

from ci_cache_isolation.isolation import notices, switch
from ci_cache_isolation.isolation.dialects import dialect_of
from ci_cache_isolation.isolation.dialects.generic import GenericDialect
from ci_cache_isolation.isolation.isolated import isolated
from ci_cache_isolation.isolation.journal import JOURNAL, About
from ci_cache_isolation.isolation.patches import is_patched
from ci_cache_isolation.isolation.redaction import redacted
from ci_cache_isolation.isolation.scopes import Granularity, Scope, ScopeKind
from ci_cache_isolation.isolation.stores import PRIVATE_SERVER
from ci_cache_isolation.probing.extras import extras_of, suite_of
from ci_cache_isolation.probing.outcomes import Outcome
from ci_cache_isolation.probing.places import Place, Table, place_for
from ci_cache_isolation.probing.playing import Player
from ci_cache_isolation.probing.programs import PIECES, SUITES
from ci_cache_isolation.probing.steps import Key, Program, Suite, call, names_in
from ci_cache_isolation.probing.wire import Wire

__all__ = ["Channel", "Worker"]

_NOT_CLEARED = (
    "its clear() is not one that isolation is known to reach, and might empty a server"
)
_OF_KEYS = "refuses a key that a test used"
_ONE_LOOP = "its methods are coroutines, whose connections belong to one event loop"


class Worker:
    """What the process can be told to do. Answers are what JSON can hold."""

    def __init__(self, alias: str, token: str, folder: str, *, isolated: bool) -> None:
        """Lead the alias to where it is probed; it is not opened."""
        self.alias = alias
        self.token = token
        self.is_isolated = isolated
        self._names: set[str] = set()
        self._loop = asyncio.new_event_loop()
        # Also those that the alias may pass its calls on to.
        self._places = {
            other: place_for(conf, backend, token, folder, other)
            for other, conf in caches.settings.items()
            if (backend := _class(conf)) is not None
        }
        for other, place in self._places.items():
            caches.settings[other] = place.settings(caches.settings[other])
            if hasattr(caches._connections, other):  # type: ignore[attr-defined]  # noqa: SLF001
                # Settings or an app have opened it in the user's own place.
                del caches[other]
        self.place = self._places[alias]

    def open(self) -> dict[str, Any]:
        """Open the cache, and store what isolation has to leave alone."""
        for place in self._places.values():
            place.enter()
        if self.is_isolated:
            switch.install(command_line=True)
        else:
            # Other options than the environment may say on.
            switch.uninstall()
        self._held: Any = caches[self.alias]
        if not self.is_isolated:
            self.place.make(self._held)
            for alias, place in self._other_tables():
                with suppress(Exception):
                    place.make(caches[alias])
        self._own = self._player(f"{self.token}own-{os.getpid()}-")
        played = self._own.play(self._piece("store one") + self._piece("read one"))
        problem = next((each.error for each in played if each.error), "")
        return {
            "error": problem,
            "keeps": played[-1].value == "'kept'",
            "token": self._own.token,
            "place": self.place.text,
            "is_for_one": self.place.is_for_one(self._held),
        }

    def start(self) -> None:
        """Begin as a run of tests does."""
        note = JOURNAL.note

        def remember(about: About, name: str) -> None:
            self._names.add(name)
            note(about, name)

        vars(JOURNAL)["note"] = remember
        switch.start(switch.state())
        switch.STACK.granularity = Granularity.TEST
        self._wire = Wire(is_refusing=not self._is_private())

    def play(self, number: int) -> dict[str, Any]:
        """Play a suite; return what came of its set-up and tests, and what was left."""
        suite = self._suites()[number]
        if self.is_isolated:
            return self._play_isolated(number, suite)
        tests = []
        setup: list[Any] = []
        for at, test in enumerate(suite.tests):
            player = self._player(self.token_of(number, at))
            try:
                setup = _written(player.play(suite.setup))
                tests.append(_written(player.play(test)))
            finally:
                player.forget()
                player.close()
        player = self._player(self.token_of(number, 90))
        after = _written(player.play(_looking_for(suite)))
        player.close()
        return {"setup": setup, "tests": tests, "after": after}

    def _play_isolated(self, number: int, suite: Suite) -> dict[str, Any]:
        player = self._player(self.token_of(number, 99))
        self.enter("class")
        setup = _written(player.play(suite.setup))
        tests = []
        for at, test in enumerate(suite.tests):
            self.enter(f"test-{at}")
            tests.append(_written(player.play(test)))
            self.leave()
        self.leave()
        after = _written(player.play(_looking_for(suite)))
        player.close()
        return {"setup": setup, "tests": tests, "after": after}

    def forget(self, number: int) -> None:
        """Delete by name what a suite may have stored plainly."""
        suite = self._suites()[number]
        for at in range(len(suite.tests)):
            player = self._player(self.token_of(number, at))
            player.keys = {name.under(player.token): None for name in names_in(suite)}
            player.forget()

    def enter(self, scope: str) -> None:
        """Open a scope: that of a class or of a test."""
        kind = ScopeKind.CLASS if scope == "class" else ScopeKind.TEST
        switch.STACK.begin(Scope(kind, f"cache_isolation.probe.{scope}"))

    def leave(self) -> None:
        """Close the innermost scope."""
        switch.STACK.end()

    def piece(self, name: str, token: str) -> list[Any]:
        """Play a piece, with keys behind a token of its own."""
        player = self._player(token)
        try:
            return _written(player.play(self._piece(name)))
        finally:
            player.close()

    def drop(self, name: str, token: str) -> None:
        """Delete by name what a piece has stored plainly."""
        player = self._player(token)
        player.keys = {each.under(token): None for each in names_in(self._piece(name))}
        player.forget()
        player.close()

    def own(self) -> list[Any]:
        """Look for what this process stored before it was isolated."""
        return _written(self._own.play(self._piece("read one")))

    def inside(self, token: str) -> list[Any]:
        """Store something in what would be a section, and look for it afterwards."""
        with isolated():
            self.piece("store one", token)
        found = self.piece("read one", token)
        self.drop("store one", token)
        return found

    def _is_private(self) -> bool:
        """Return whether this process has a server of its own for the alias."""
        return switch.store_for(self.alias, type(self._held))[0] == PRIVATE_SERVER

    def untouched(self, token: str) -> dict[str, int]:
        """Count what a test sends that uses the cache, and one that does not.

        A server of the process's own is put back between tests: nothing is counted.
        """
        if self._is_private():
            return {"used": 0, "unused": 0}
        before = self._wire.sent
        self.enter("class")
        self.enter("test-untouched")
        self.leave()
        self.leave()
        unused = self._wire.sent - before
        self.enter("class")
        before = self._wire.sent
        self.piece("read one", token)
        used = self._wire.sent - before
        self.leave()
        return {"used": used, "unused": unused}

    def is_held(self) -> bool:
        """Return whether the alias still gives what it gave at first."""
        return caches[self.alias] is self._held

    def finish(self) -> dict[str, Any]:
        """Tidy up as at the end of a run; return what isolation had to say."""
        switch.STACK.move_to(())
        switch.finish()
        own = self.own()
        self._own.forget()
        # Keys that any client refuses are among those that are tried.
        said = [each for each in notices.take() if _OF_KEYS not in each]
        return {"own": own, "said": said, "names": sorted(self._names)}

    def left(self, names: list[str]) -> list[str]:
        """Return what is there that no process should have left."""
        self._own.forget()
        found = [name for name in names if name.startswith(os.sep) and _is_there(name)]
        found += self.place.left(self._held)
        cache = self._held
        cache.key_func = lambda key, *_: key
        cache.make_key = lambda key, *_, **__: key
        for name in names:
            if not name.startswith(os.sep):
                with suppress(Exception):
                    if self._own.finished(cache.has_key(name)):
                        found.append(name)
        return sorted(set(found))

    def remove(self) -> None:
        """Delete what was made for the probe."""
        self._own.forget()
        self.place.remove(self._held)
        for alias, place in self._other_tables():
            with suppress(Exception):
                place.remove(caches[alias])

    def _other_tables(self) -> list[tuple[str, Place]]:
        """Return the tables of other aliases that this one may pass its calls on to."""
        if self.place.is_own or not self._is_unknown():
            return []
        return [
            (alias, place)
            for alias, place in self._places.items()
            if alias != self.alias and isinstance(place, Table)
        ]

    def _is_unknown(self) -> bool:
        return isinstance(dialect_of(type(self._held)), GenericDialect)

    def extras(self) -> list[str]:
        """Return the names of methods that are not called."""
        return extras_of(self._held, is_own=self.place.is_own)[1]

    def suites(self) -> list[list[Any]]:
        """Return number, name and title of each suite, and why it is not played.

        What can't be meant for such a cache is left out.
        """
        is_in_database = self.place.database(self._held) is not None
        return [
            [at, each.number, each.name, each.title, self._reason(each)]
            for at, each in enumerate(self._suites())
            if is_in_database or not each.is_for_tables
        ]

    def _reason(self, suite: Suite) -> str:
        if suite.has_clear and not self._may_clear():
            return _NOT_CLEARED
        if suite.name == "threads" and self._own.is_async:
            return _ONE_LOOP
        return ""

    def token_of(self, suite: int, test: int) -> str:
        """Return the prefix of all keys of a test."""
        return f"{self.token}{suite:02d}{test:02d}-"

    def _suites(self) -> list[Suite]:
        extras = suite_of(self._held, is_own=self.place.is_own)
        return [*SUITES, *([] if extras is None else [extras])]

    def _player(self, token: str) -> Player:
        return Player(
            self.alias,
            token,
            is_plain=not self.is_isolated,
            database=self.place.database(self._held),
            loop=self._loop,
        )

    def _piece(self, name: str) -> Program:
        if not name.endswith(" extras"):
            return PIECES[name]
        suite = suite_of(self._held, is_own=self.place.is_own)
        if suite is None:
            return ()
        return suite.setup if name.startswith("store") else _looking_for(suite.setup)

    def _may_clear(self) -> bool:
        """Return whether ``clear()`` can do no harm, even if it is not isolated.

        Emptying commands of known servers are refused on their way. Of other backends
        it is only called where isolation wraps it.
        """
        if self.place.is_own:
            return True
        if not self._is_unknown():
            return True
        # An asynchronous one may be of its own too.
        methods = {"clear": BaseCache.clear, "aclear": BaseCache.aclear}
        return not self.is_isolated or all(
            is_patched(method) or (name == "aclear" and method is usual)
            for name, usual in methods.items()
            if (method := getattr(type(self._held), name, usual))
        )


def _class(conf: Mapping[str, Any]) -> type | None:
    try:
        found = import_string(conf["BACKEND"])
    except (ImportError, KeyError):
        return None
    return found if isinstance(found, type) else None


def _looking_for(stored: Suite | Program) -> Program:
    """Return a program that looks for everything that a suite may have stored."""
    names = dict.fromkeys(
        name
        for name in names_in(stored)
        if not (isinstance(name, Key) and name.is_pattern)
    )
    return tuple(call("has_key", name) for name in names)


def _is_there(name: str) -> bool:
    return Path(name).exists()


def _written(outcomes: Iterable[Outcome]) -> list[Any]:
    return [each.to_json() for each in outcomes]


class Channel:
    """Where a process is told what to do, and answers: one line of JSON each.

    What were standard input and output when it was made; settings and test runners may
    then do with these what they like.
    """

    def __init__(self) -> None:
        self._told = os.fdopen(os.dup(0), encoding="utf-8")
        self._answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)

    def serve(self) -> None:
        """Do what is told, until nothing more is: the project is set up."""
        worker: Worker | None = None
        for line in self._told:
            told = json.loads(line)
            do = told.pop("do")
            try:
                if worker is None:
                    worker = Worker(**told)
                    answer: Any = None
                else:
                    answer = getattr(worker, do)(**told)
            except Exception as error:  # noqa: BLE001 - whatever a backend raises
                self.refuse(error)
            else:
                self._answer({"answer": answer})

    def refuse(self, error: Exception) -> None:
        """Say that something could not be done, and why."""
        self._answer({"error": redacted(f"{type(error).__name__}: {error}")})

    def _answer(self, answer: dict[str, Any]) -> None:
        self._answers.write(json.dumps(answer) + "\n")
        self._answers.flush()
