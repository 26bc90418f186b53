"""Conflicts: what one scope left and another looked at first. Pure.

A conflict is a suspicion. Whether the second test's outcome changes is seen only when
both are run.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, zip_longest
from typing import NamedTuple, TypeVar

from ci_cache_isolation.evidence.account import (
    Entry,
    How,
    Left,
    Look,
    PatternSearch,
    Searched,
    Site,
)
from ci_cache_isolation.evidence.notes import Note

__all__ = [
    "Audited",
    "Conflict",
    "Leaver",
    "Looker",
    "Suspicion",
    "audited",
    "can_meet",
]

T = TypeVar("T")
_SOON = 60.0
"""Seconds: what lives longer is met by most tests of most suites."""
_MANY_TESTS = 20
_MANY_SUSPECTS = 60
_MANY_PAIRS = 100_000
_OF_ONE_SITE = 20
_OF_ONE_CLASS = 20
_MANY_CALLERS = 12


@dataclass(frozen=True, slots=True)
class Actor:
    """A scope, and the tests that bring about what it does: itself, or its class's."""

    name: str
    around: tuple[str, ...]
    tests: tuple[str, ...]

    @property
    def test(self) -> str:
        """A test that brings it about."""
        return next(iter(self.tests), self.name)

    def is_one_with(self, other: Actor) -> bool:
        """Return whether one of the two is the other, or stands in it."""
        return (
            self.name == other.name
            or self.name in other.around
            or other.name in self.around
        )


@dataclass(frozen=True, slots=True)
class Leaver:
    """Who left an entry, and where."""

    actor: Actor
    left: Left

    @property
    def site(self) -> Site:
        """Where it was called."""
        return self.left.site

    @property
    def expires_soon_in(self) -> float | None:
        """The seconds after its test in which it can be met, None if not that few."""
        seconds = self.left.expires_in
        return seconds if seconds is not None and seconds < _SOON else None


@dataclass(frozen=True, slots=True)
class Looker:
    """Who looked at an entry before writing it, and where."""

    actor: Actor
    look: Look

    @property
    def site(self) -> Site:
        """Where it was called."""
        return self.look.site

    @property
    def is_tidying(self) -> bool:
        """Whether it only made sure that nothing is there."""
        return self.look.operation.startswith("delete")


@dataclass(frozen=True, slots=True)
class Conflict:
    """One entry, all that left it and all that looked at it first.

    ``name`` is what the user calls it, where a key function of his own makes the key.
    """

    entry: Entry
    alias: str
    left_by: tuple[Leaver, ...]
    seen_by: tuple[Looker, ...]
    name: str = ""

    @property
    def is_common(self) -> bool:
        """Whether it is a memoised function that many tests call.

        The first caller has it remember, and the others find that; whose arguments and
        whose settings were the same is not known. So a few of them tell nothing.
        """
        return self.entry.is_memoised and len(self.left_by) > _MANY_CALLERS

    def pairs(self) -> Iterator[tuple[Leaver, Looker]]:
        """Yield who may have met whom."""
        for looker in self.seen_by:
            for leaver in self.left_by:
                if can_meet(leaver, looker):
                    yield leaver, looker


class Suspicion(NamedTuple):
    """Why one test is said to meet another: the entry, who left it, who looked."""

    conflict: Conflict
    leaver: Leaver
    looker: Looker


@dataclass(frozen=True, slots=True)
class Audited:
    """What a run's notes come to: all tests in their sequence, and the conflicts."""

    tests: tuple[str, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    suspects: Mapping[str, Mapping[str, Suspicion]] = field(default_factory=dict)
    """By victim and polluter."""
    left_out: int = 0
    """How many conflicts are not among the suspicions, as there are too many."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """How long each test took."""

    @property
    def common(self) -> list[Conflict]:
        """Those of functions that many tests call: not among the suspicions either."""
        return [each for each in self.conflicts if each.is_common]


def audited(notes: Iterable[Note]) -> Audited:
    """Draw the conflicts from what all processes have recorded."""
    tests: dict[str, float] = {}
    left: defaultdict[Entry, list[Leaver]] = defaultdict(list)
    looked: defaultdict[Entry, list[Looker]] = defaultdict(list)
    cleared: defaultdict[str, list[Leaver]] = defaultdict(list)
    searches: defaultdict[PatternSearch, list[tuple[Actor, Searched]]] = defaultdict(
        list
    )
    names: dict[Entry, str] = {}
    for note, actor in _with_actors(notes, tests):
        names.update(note.names)
        for entry, look in note.looked.items():
            looked[entry].append(Looker(actor, look))
        for entry, what in note.left.items():
            left[entry].append(Leaver(actor, what))
        for place, what in note.cleared.items():
            cleared[place].append(Leaver(actor, what))
        for search, searched in note.searched.items():
            searches[search].append((actor, searched))
    _add_what_is_found(searches, left, looked)
    conflicts = []
    for entry, lookers in looked.items():
        leavers = list(left.get(entry, ()))
        # Who clears is met only by who finds something that an outer scope had stored.
        if any(each.look.holder for each in lookers):
            leavers += cleared.get(entry.place, ())
        alias = lookers[0].look.alias
        name = names.get(entry, "")
        conflict = Conflict(entry, alias, tuple(leavers), tuple(lookers), name)
        if any(True for _ in conflict.pairs()):
            conflicts.append(conflict)
    suspects, left_out = _suspects([each for each in conflicts if not each.is_common])
    return Audited(tuple(tests), tuple(conflicts), suspects, left_out, tests)


def _add_what_is_found(
    searches: Mapping[PatternSearch, Sequence[tuple[Actor, Searched]]],
    left: Mapping[Entry, Sequence[Leaver]],
    looked: defaultdict[Entry, list[Looker]],
) -> None:
    """Turn each search into reads of what others leave, of a few where it is much."""
    for search, searchers in searches.items():
        found: Counter[tuple[str, How]] = Counter()
        for entry, leavers in left.items():
            at_line = leavers[0].site.at, leavers[0].left.how
            if found[at_line] == _OF_ONE_SITE or not search.finds(entry):
                continue
            found[at_line] += 1
            for actor, searched in searchers:
                if entry.key not in searched.known:
                    looked[entry].append(Looker(actor, searched.look))


def _with_actors(
    notes: Iterable[Note], tests: dict[str, float]
) -> Iterator[tuple[Note, Actor]]:
    """Yield the notes of scopes that did anything, and whose doing each is.

    All tests go into ``tests``. There may be a million notes: only those of wider
    scopes are kept, until it is known which tests are in them.
    """
    members: defaultdict[str, dict[str, None]] = defaultdict(dict)
    wide: list[Note] = []
    for note in notes:
        if not note.test:
            wide.append(note)
            continue
        tests[note.test] = note.seconds
        for name in note.around:
            members[name][note.test] = None
        if note.looked or note.left or note.cleared or note.searched:
            yield note, Actor(note.name, note.around, (note.test,))
    for note in wide:
        # Who asked for a fixture brings it about more surely than the others.
        within = members[note.name]
        asking = [test for test in note.during if test in within]
        own = tuple(dict.fromkeys([*asking, *within]))
        yield note, Actor(note.name, note.around, own)


def can_meet(leaver: Leaver, looker: Looker) -> bool:
    """Return whether one can find what the other left."""
    if leaver.actor.is_one_with(looker.actor):
        return False
    # Who takes something away is met by who finds what both their scopes had stored.
    return leaver.left.how is How.STORED or looker.look.holder in leaver.actor.around


def _suspects(
    conflicts: Iterable[Conflict],
) -> tuple[dict[str, dict[str, Suspicion]], int]:
    """Return suspicions by victim and polluter, and how many conflicts are left out.

    An entry of few tests tells more than one that everybody uses: that comes last.
    """
    found: defaultdict[str, dict[str, Suspicion]] = defaultdict(dict)
    few_first = sorted(
        conflicts, key=lambda each: len(each.left_by) * len(each.seen_by)
    )
    # To count what was found anew for each conflict would take most of the time.
    pairs = 0
    for number, conflict in enumerate(few_first):
        if pairs > _MANY_PAIRS:
            return dict(found), len(few_first) - number
        leavers = _few_of_each_site(conflict.left_by)
        for looker in conflict.seen_by:
            for leaver in leavers:
                if can_meet(leaver, looker):
                    suspicion = Suspicion(conflict, leaver, looker)
                    for victim, polluter in _tests_of(leaver, looker):
                        pairs += _suspect(found[victim], polluter, suspicion)
    return dict(found), 0


def _suspect(
    suspects: dict[str, Suspicion], polluter: str, suspicion: Suspicion
) -> bool:
    """Take note of a suspicion; say whether the polluter was no suspect before."""
    known = suspects.get(polluter)
    if known is None:
        if len(suspects) < _MANY_SUSPECTS:
            suspects[polluter] = suspicion
            return True
    elif known.looker.is_tidying and not suspicion.looker.is_tidying:
        # Of several entries between two tests, not one that is only deleted first.
        suspects[polluter] = suspicion
    return False


def _tests_of(leaver: Leaver, looker: Looker) -> Iterator[tuple[str, str]]:
    """Yield victims and polluters; any test of a class brings its set-up about."""
    for victim in looker.actor.tests[:_MANY_TESTS]:
        for polluter in leaver.actor.tests[:_OF_ONE_CLASS]:
            if polluter != victim:
                yield victim, polluter


def _few_of_each_site(leavers: Iterable[Leaver]) -> list[Leaver]:
    """Return some of those from one line of code, from the beginning and the end."""
    by_site: defaultdict[tuple[str, How], list[Leaver]] = defaultdict(list)
    for leaver in leavers:
        by_site[leaver.site.at, leaver.left.how].append(leaver)
    half = _OF_ONE_SITE // 2
    few = [
        each if len(each) <= _OF_ONE_SITE else each[:half] + each[-half:]
        for each in by_site.values()
    ]
    # The first of every site before the second of any.
    mixed = (each for row in zip_longest(*few) for each in row if each is not None)
    return list(islice(mixed, 2 * _MANY_SUSPECTS))
