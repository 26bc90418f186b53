"""What is tried on one alias, by two isolated processes and by one of plain Django."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self

from ci_cache_isolation.probing.comparing import Difference, differences
from ci_cache_isolation.probing.outcomes import Outcome
from ci_cache_isolation.probing.places import new_folder, remove_folder
from ci_cache_isolation.probing.processes import Process, ToldError
from ci_cache_isolation.probing.promises import Probed, ProbedAlias, Promise, State

__all__ = ["Limits", "probe"]

_FEW = 3
_IN_THE_WAY = "without isolation, too, threads get into each other's way in it"
_KEEPS_NOTHING = "what was stored in it was not there"


@dataclass(frozen=True, slots=True)
class Limits:
    """For how many seconds things are waited for.

    ``loading`` is for settings and apps, ``reaching`` for the first answer of a cache,
    ``playing`` for all else.
    """

    loading: float = 60
    reaching: float = 5
    playing: float = 60


_LIMITS = Limits()


class _UnreachableError(Exception):
    """The alias can't be probed; this says why."""


def probe(
    about: ProbedAlias, command: Sequence[str], limits: Limits = _LIMITS
) -> Probed:
    """Hold every promise against one alias.

    ``command`` starts a process that sets the project up and serves a `Channel`.
    """
    folder = new_folder()
    try:
        with _Trio(about, command, folder, limits) as trio:
            return trio.probed()
    except _UnreachableError as error:
        return Probed(about, failure=str(error))
    finally:
        remove_folder(folder)


class _Trio:
    """Two isolated processes, and one of plain Django that stores what is foreign."""

    def __init__(
        self, about: ProbedAlias, command: Sequence[str], folder: str, limits: Limits
    ) -> None:
        self._about = about
        self._command = command
        self._token = f"p{secrets.token_hex(3)}"
        self._folder = folder
        self._limits = limits
        self._ended: list[Process] = []
        self._suites: list[list[Any]] = []
        self._names: set[str] = set()
        self._of_words: list[Difference] = []
        self._calls = 0
        self._is_made = False

    def __enter__(self) -> Self:
        self._plain, self._first, self._second = (
            self._started(name) for name in ("plain", "first", "second")
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._first.end()
        self._second.end()
        if self._is_made:
            try:
                self._plain.ask("remove", self._limits.playing)
            except ToldError:
                self._sweep()
        self._plain.end()

    def probed(self) -> Probed:
        """Try everything."""
        for process in (self._plain, self._first, self._second):
            try:
                process.answer(self._limits.loading)
            except ToldError as error:
                raise _UnreachableError(f"can't be loaded: {error}") from error
        self._opened = self._reached()
        try:
            self._start(self._first)
            self._start(self._second)
        except ToldError as error:
            promise = Promise(
                8,
                "opened",
                "it can be opened with isolation",
                State.BROKEN,
                reason=str(error),
            )
            return Probed(self._about, self._opened["place"], (promise,))
        self._suites = self._first.ask("suites", self._limits.playing)
        promises = [*self._of_suites(), *self._of_processes()]
        return Probed(
            self._about,
            self._opened["place"],
            tuple(sorted(promises, key=lambda promise: promise.number)),
            tuple(self._plain.ask("extras", self._limits.playing)),
        )

    def _started(self, name: str) -> Process:
        is_isolated = name != "plain"
        process = Process(self._command, self._folder, name, is_isolated=is_isolated)
        process.tell(
            "set up",
            alias=self._about.alias,
            token=self._token,
            folder=self._folder,
            isolated=is_isolated,
        )
        return process

    def _reached(self) -> dict[str, Any]:
        try:
            opened: dict[str, Any] = self._plain.ask("open", self._limits.reaching)
        except ToldError as error:
            raise _UnreachableError(f"can't be reached: {error}") from error
        self._is_made = True
        if problem := opened["error"] or ("" if opened["keeps"] else _KEEPS_NOTHING):
            raise _UnreachableError(f"can't be reached: {problem}")
        return opened

    def _start(self, process: Process) -> None:
        problem = process.ask("open", self._limits.playing)["error"]
        if problem:
            raise ToldError(problem)
        process.ask("start", self._limits.playing)

    def _of_suites(self) -> Iterator[Promise]:
        for at, number, name, title, reason in self._suites:
            if reason:
                yield Promise(number, name, title, State.NOT_PROBED, reason=reason)
            else:
                yield self._suite(at, number, name, title)
        title = "errors and warnings are in the same words"
        yield Promise.held(5, "words", title, self._of_words, self._calls)

    def _suite(self, at: int, number: int, name: str, title: str) -> Promise:
        self._plain.tell("play", number=at)
        is_for_one = self._opened["is_for_one"]
        if not is_for_one:
            self._first.tell("play", number=at)
        try:
            plain = self._plain.answer(self._limits.playing)
        except ToldError as error:
            raise _UnreachableError(f"stopped answering plainly: {error}") from error
        if is_for_one:
            self._first.tell("play", number=at)
        try:
            isolated = self._first.answer(self._limits.playing)
        except ToldError as error:
            self._renew_first()
            return Promise(number, name, title, State.BROKEN, reason=str(error))
        if name == "threads" and _is_chance(plain["tests"]):
            return Promise(number, name, title, State.NOT_PROBED, reason=_IN_THE_WAY)
        found = differences(
            "in the set-up", _read(isolated["setup"]), _read(plain["setup"])
        )
        several = len(plain["tests"]) > 1
        for number_of_test, (one, other) in enumerate(
            zip(isolated["tests"], plain["tests"], strict=True), 1
        ):
            place = f"in test {number_of_test}" if several else ""
            found += differences(place, _read(one), _read(other))
        found += differences(
            "after the class", _read(isolated["after"]), _read(plain["after"])
        )
        self._of_words += [each for each in found if each.is_of_words]
        others = [each for each in found if not each.is_of_words]
        calls = sum(map(len, [plain["setup"], plain["after"], *plain["tests"]]))
        self._calls += calls
        return Promise.held(number, name, title, others, calls)

    def _renew_first(self) -> None:
        """Start another process in the place of one that does not answer any more."""
        self._first.end()
        self._first = self._started("first")
        try:
            self._first.answer(self._limits.loading)
            self._start(self._first)
        except ToldError as error:
            raise _UnreachableError(f"stopped answering: {error}") from error

    def _of_processes(self) -> Iterator[Promise]:
        for check in (
            self._other_process,
            self._foreign,
            self._off,
            self._held,
            self._cost,
            self._end,
        ):
            try:
                yield from check()
            except ToldError as error:
                name = check.__name__.removeprefix("_")
                yield Promise(
                    11,
                    name,
                    f"the probe of {name!r} comes to an end",
                    State.BROKEN,
                    reason=str(error),
                )
                self._renew_first()

    def _other_process(self) -> Iterator[Promise]:
        token = f"{self._token}two-"
        first, second, plain = self._first, self._second, self._plain
        for process in (first, second):
            self._ask(process, "enter", scope="class")
            self._ask(process, "enter", scope="test")
        self._piece(first, "store", token)
        self._piece(first, "store extras", token)
        stored = self._piece(first, "read", token)
        nothing = [Outcome(each.call, "'nothing'") for each in stored]
        seen = self._piece(second, "read", token)
        found = differences("in another process", seen, nothing)
        passed = differences(
            "in a process without isolation",
            self._piece(plain, "read", token),
            nothing,
        )
        unseen = self._piece(plain, "find extras", token)
        passed += differences(
            "in a process without isolation",
            unseen,
            [Outcome(each.call, "False") for each in unseen],
        )
        self._piece(second, "store other", token)
        if self._may_clear:
            self._piece(second, "clear", token)
        found += differences(
            "after another process stored and cleared",
            self._piece(first, "read", token),
            stored,
        )
        for process in (first, second):
            self._ask(process, "leave")
            self._ask(process, "leave")
        calls = 3 * len(nothing)
        yield Promise.held(
            3, "processes", "two processes never see each other", found, calls
        )
        yield Promise.held(
            3, "plain-keys", "no key passes isolation by", passed, 2 * len(nothing)
        )
        self._ask(plain, "drop", name="store", token=token)
        self._ask(plain, "drop", name="store extras", token=token)

    def _foreign(self) -> Iterator[Promise]:
        first = self._first
        self._ask(first, "enter", scope="class")
        self._ask(first, "enter", scope="test")
        self._piece(first, "use foreign", self._opened["token"])
        if self._may_clear:
            self._piece(first, "clear", self._opened["token"])
        found = self._kept(_read(self._ask(self._plain, "own")))
        self._ask(first, "leave")
        self._ask(first, "leave")
        found += self._kept(_read(self._ask(self._plain, "own")))
        yield Promise.held(4, "foreign", "what others stored is not touched", found, 7)

    def _off(self) -> Iterator[Promise]:
        found = self._ask(self._plain, "inside", token=f"{self._token}off-")
        yield Promise.held(
            10, "off", "off means off", self._kept(_read(found)), len(found)
        )

    def _held(self) -> Iterator[Promise]:
        title = "caches gives the same object as before"
        is_held = self._ask(self._first, "is_held")
        state = State.KEPT if is_held else State.BROKEN
        yield Promise(12, "held", title, state)

    def _cost(self) -> Iterator[Promise]:
        title = "a test that does not use it sends nothing"
        sent = self._ask(self._first, "untouched", token=f"{self._token}cost-")
        # What is written in C has sockets that can't be watched.
        if sent["used"]:
            found = (
                [Difference("", "nothing", f"{sent['unused']} round trips", "none")]
                if sent["unused"]
                else []
            )
            yield Promise.held(6, "cost", title, found)

    def _end(self) -> Iterator[Promise]:
        said: list[str] = []
        found: list[Difference] = []
        for process in (self._first, self._second):
            told = self._ask(process, "finish")
            said += told["said"]
            self._names.update(told["names"])
            found += self._kept(_read(told["own"]))
            process.end()
        yield Promise.held(4, "own", "what was there before is there afterwards", found)
        left = self._ask(self._plain, "left", names=sorted(self._names))
        yield Promise(
            4,
            "left",
            "nothing is left",
            State.BROKEN if left else State.KEPT,
            len(self._names),
            reason=self._listed(left),
        )
        yield Promise(
            8,
            "said",
            "isolation has nothing to complain of",
            State.BROKEN if said else State.KEPT,
            reason=" ".join(dict.fromkeys(said)).replace(self._token, ""),
        )

    def _listed(self, names: list[str]) -> str:
        if not names:
            return ""
        shown = ", ".join(repr(name.replace(self._token, "")) for name in names[:_FEW])
        more = f" and {len(names) - _FEW} more" if len(names) > _FEW else ""
        return f"still there at the end: {shown}{more}"

    @property
    def _may_clear(self) -> bool:
        return any(
            name == "clear" and not reason for _, _, name, _, reason in self._suites
        )

    def _kept(self, read: Sequence[Outcome]) -> list[Difference]:
        return differences("", read, [Outcome(each.call, "'kept'") for each in read])

    def _ask(self, process: Process, do: str, **how: Any) -> Any:
        return process.ask(do, self._limits.playing, **how)

    def _piece(self, process: Process, name: str, token: str) -> list[Outcome]:
        return _read(self._ask(process, "piece", name=name, token=token))

    def _sweep(self) -> None:
        """Delete by name what a process that was ended has stored plainly."""
        with suppress(ToldError):
            self._plain = self._started("plain")
            self._plain.answer(self._limits.loading)
            self._plain.ask("open", self._limits.reaching)
            for at, *_ in self._suites:
                self._ask(self._plain, "forget", number=at)
            self._ask(self._plain, "remove")


def _is_chance(tests: list[list[Any]]) -> bool:
    """Return whether threads get into each other's way without isolation, too."""
    first, *others = map(_read, tests)
    raced = any(each.error for test in (first, *others) for each in test)
    return raced or any(test != first for test in others)


def _read(written: list[Any]) -> list[Outcome]:
    return [Outcome.from_json(each) for each in written]
