"""What carried a failure from one test to another, by what the audit recorded.

One order is run with isolation on and recording on. Each test does there what it does
alone, so it is known of any two what one would leave to the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ci_cache_isolation.evidence.account import Look
from ci_cache_isolation.evidence.carriers import Carriers
from ci_cache_isolation.evidence.conflicts import (
    Actor,
    Audited,
    Conflict,
    Leaver,
    Looker,
    Suspicion,
    audited,
)
from ci_cache_isolation.evidence.notes import Note

__all__ = ["Evidence"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Conflicts by victim and polluter, and what each test left and reads itself."""

    audited: Audited = field(default_factory=Audited)
    own: Mapping[str, Sequence[Suspicion]] = field(default_factory=dict)
    notes: Mapping[str, Note] = field(default_factory=dict)
    carriers: Carriers = field(default_factory=lambda: Carriers(()))

    @classmethod
    def drawn(cls, notes: Iterable[Note]) -> Evidence:
        """Draw it from what a run has recorded."""
        kept = list(notes)
        of_tests = {note.test: note for note in kept if note.test}
        own = {test: _by_itself(note) for test, note in of_tests.items()}
        found = audited(kept)
        return cls(found, own, of_tests, Carriers(found.conflicts))

    @property
    def suspects(self) -> dict[str, Sequence[str]]:
        """By each test those whose traces it would meet."""
        return {test: list(found) for test, found in self.audited.suspects.items()}

    def sharing(self, test: str) -> list[str]:
        """Return the tests that use what it stores where processes can meet.

        It may be itself: two processes may run it at once.
        """
        own = self.notes.get(test)
        places = set() if own is None else {entry.place for entry in own.left}
        shared = set(filter(_is_shared, places))
        if not shared:
            return []
        return [
            other
            for other, note in self.notes.items()
            if shared & {*note.cleared, *(entry.place for entry in note.left)}
        ]

    def met(self, test: str, neighbour: str) -> Suspicion | None:
        """Return an entry that a test stores and another one takes from it."""
        own, other = self.notes[test], self.notes[neighbour]
        for entry, left in own.left.items():
            taken = other.left.get(entry) or other.cleared.get(entry.place)
            if taken is not None and _is_shared(entry.place):
                leaver = Leaver(_actor(other), taken)
                look = Look(left.alias, left.operation, None, left.site, "")
                looker = Looker(_actor(own), look)
                conflict = Conflict(entry, left.alias, (leaver,), (looker,))
                return Suspicion(conflict, leaver, looker)
        return None


def _is_shared(place: str) -> bool:
    # It takes Django, which a command that is asked nothing of the kind starts without.
    from ci_cache_isolation.isolation.stores import is_shared  # noqa: PLC0415

    return is_shared(place.partition(":")[0])


def _actor(note: Note) -> Actor:
    return Actor(note.name, note.around, (note.test,))


def _by_itself(note: Note) -> list[Suspicion]:
    """Return the entries that a test reads before it leaves them."""
    actor = _actor(note)
    found = []
    for entry, look in note.looked.items():
        if left := note.left.get(entry):
            leaver, looker = Leaver(actor, left), Looker(actor, look)
            conflict = Conflict(entry, look.alias, (leaver,), (looker,))
            found.append(Suspicion(conflict, leaver, looker))
    return found
