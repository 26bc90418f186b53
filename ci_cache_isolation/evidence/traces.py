"""What tests left in their process besides caches, when the last test is to begin.

In a fork of a process that took a look at itself. What is not as it was is told, or put
back, all of it or some: so an experiment shows which trace changes the outcome.

What the set-up of a scope did that the last test is in as well is no trace: it counts
as it was when the scope's first test began.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from ci_cache_isolation.evidence.account import How
from ci_cache_isolation.evidence.hashing import hasher_if_asked
from ci_cache_isolation.evidence.trace import Trace
from ci_cache_isolation.evidence.watching import Watch
from ci_cache_isolation.isolation import switch
from ci_cache_isolation.isolation.scopes import Scope, ScopeKind
from ci_cache_isolation.running.inside.databases import made
from ci_cache_isolation.running.private_files import written
from ci_cache_isolation.state.comparing import (
    MISSING,
    Contents,
    Kinds,
    Mark,
    class_vars,
)
from ci_cache_isolation.state.look import Change, taken
from ci_cache_isolation.state.names import Names
from ci_cache_isolation.state.probes import is_probe
from ci_cache_isolation.state.rows import TABLES, Rows
from ci_cache_isolation.state.where import Where

__all__ = ["Traces", "listener"]

_MOST_SCOPES = 8
"""So many set-ups are told apart from what tests do: to look takes its time."""
_MOST = 400
"""So many traces are told."""
_HOW = {"added": How.ADDED, "changed": How.CHANGED, "removed": How.REMOVED}
_WITH_LENGTH = Kinds(bytes, dict, frozenset, list, set, str, tuple)
_STOPPED = (
    "What tests left in this process was not compared: {error}. The tests are not "
    "affected."
)


def listener(text: str) -> Traces:
    """Return what a job's variable asks for."""
    asked = json.loads(text)
    return Traces(
        asked["before"],
        tell=asked["tell"],
        where=Where(asked["where"]),
        marks=[(number, key) for number, key in asked["put_back"]],
        watched=asked["watched"] and tuple(asked["watched"]),
    )


class Traces:
    """Listens to scopes until the last test of a job is to begin."""

    def __init__(
        self,
        tests: int,
        *,
        tell: str,
        where: Where,
        marks: Sequence[Mark],
        watched: Mark | None,
    ) -> None:
        self._left = tests
        self._tell = tell
        self._marks = marks
        if where is Where.ROWS:
            TABLES.update(dict.fromkeys(made()))
        self._look = taken(where)
        self._is_of_rows = where is Where.ROWS
        # All there is, where nobody has said yet what it is about.
        self._among: Collection[int] | None = {number for number, _ in marks}
        if watched is not None:
            self._among = {watched[0]}
        elif tell:
            self._among = None
        # What the set-up of a scope does elsewhere is seldom undone by a test.
        self._of_scopes = self._look.own if self._among is None else self._among
        # What was there when the first scope inside another one began.
        self._bases: list[tuple[Scope | None, dict[int, Contents]]] = []
        self._is_over = self._is_in_test = False
        self._watch = None if watched is None else Watch(self._look, watched)
        # Python makes it new in each fork.
        self._bases.append((None, self._look.held_now(self._look.probes)))

    def take(self, alias: str, cache: object) -> None:
        """Take no notice of a cache."""

    def is_turning(self, *, is_aside: bool) -> None:
        """Take note of what a wider fixture has done in the middle of a test."""
        innermost = switch.STACK.innermost
        # Nobody deletes the rows of a wider fixture: they are met as others are.
        if self._is_of_rows or not is_aside:
            return
        if (
            self._is_in_test
            and not self._is_over
            and innermost is not None
            and innermost.kind not in {ScopeKind.TEST, ScopeKind.BLOCK}
            and any(scope is innermost for scope, _ in self._bases)
        ):
            self._bases = [each for each in self._bases if each[0] is not innermost]
            self._safely(self._note, innermost)

    def began(self, scope: Scope) -> None:
        """Take note of what has been set up around it, or act, if it is time."""
        if self._is_over:
            return
        self._is_in_test = scope.kind is ScopeKind.TEST
        if self._left <= 0:
            self._is_over = True
            if self._watch is not None:
                self._watch.end()
            self._safely(self._act)
            return
        path = switch.STACK.path
        around = path[-2] if len(path) > 1 else None
        if around is not None and not any(each is around for each, _ in self._bases):
            self._safely(self._note, around)
        if self._watch is not None:
            self._watch.begin()

    def is_ending(self, scope: Scope) -> None:
        """Count a test that has ended."""
        if scope.kind is ScopeKind.TEST:
            self._is_in_test = False
            self._left -= 1

    def was_put_back(self, scope: Scope) -> None:
        """Take no notice of it: the next one begins with what is left."""

    def _note(self, around: Scope) -> None:
        if len(self._bases) <= _MOST_SCOPES:
            changes = self._look.changes(among=self._of_scopes)
            numbers = {*(each.container for each in changes), *self._look.probes}
            self._bases.append((around, self._look.held_now(numbers)))

    def _act(self) -> None:
        base = self._base()
        if self._marks:
            self._look.put_back(self._marks, base)
        if self._tell:
            changes = self._look.changes(base, self._among)
            names = Names(self._look, hasher_if_asked())
            rows = [self._told(each, names) for each in changes[:_MOST]]
            written(Path(self._tell), json.dumps(rows))

    def _base(self) -> Mapping[int, Contents]:
        """Return what counts as before: after the set-up of what is still open."""
        is_open = {id(scope) for scope in switch.STACK.path[:-1]}
        fitting = (
            base for scope, base in self._bases if scope is None or id(scope) in is_open
        )
        *_, last = fitting
        return last

    def _told(self, change: Change, names: Names) -> Trace:
        name = names.of(change)
        at = self._watch.line if self._watch is not None else ""
        return Trace(
            *change.mark,
            name.text if name else "",
            name.path if name else "",
            _HOW[change.how],
            _described(change, change.before),
            _described(change, change.after),
            at,
        )

    def _safely(self, work: Any, *args: Any) -> None:
        try:
            work(*args)
        except Exception as error:  # noqa: BLE001 - the tests are not to blame
            self._is_over = True
            text = f"{type(error).__name__}: {error}"
            sys.stderr.write(_STOPPED.format(error=text) + "\n")


def _described(change: Change, value: Any) -> str:
    """Return what kind of thing was there, and how long: never what it was."""
    if change.how == "changed" and is_probe(change.key):
        return ""
    if value is MISSING:
        return "nothing"
    if change.key is MISSING:
        # All that a container held: its keys and values.
        return f"{len(value[1])} in it"
    kind = type(value)
    if kind is Rows:
        return f"{len(value)} in it"
    name = "None" if value is None else str(class_vars(type)["__name__"].__get__(kind))
    return f"{name} of {len(value)}" if kind in _WITH_LENGTH else name
