"""What carried a failure from one test to another, by what the audit wrote down.

One order is run with isolation on and the books open. Each test does there what it does
alone, so it is known of any two what one would leave to the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ci_cache_isolation.audit.conflicts import (
    Actor,
    Audited,
    Conflict,
    Leaver,
    Looker,
    Suspicion,
    audited,
)
from ci_cache_isolation.audit.notes import Note
from ci_cache_isolation.audit.proofs import Verdict
from ci_cache_isolation.stress.judged import Judged

__all__ = ["Evidence"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Conflicts by victim and polluter, and what each test left and looks at itself."""

    audited: Audited = field(default_factory=Audited)
    own: Mapping[str, Suspicion] = field(default_factory=dict)

    @classmethod
    def drawn(cls, notes: Iterable[Note]) -> Evidence:
        """Draw it from what a run has written down."""
        kept = list(notes)
        own = {}
        for note in kept:
            if note.test and (found := _by_itself(note)):
                own[note.test] = found
        return cls(audited(kept), own)

    @property
    def suspects(self) -> dict[str, Sequence[str]]:
        """By each test those whose traces it would meet."""
        return {test: list(found) for test, found in self.audited.suspects.items()}

    def about(self, judged: Judged) -> Suspicion | None:
        """Return what carried a finding, None where it was nothing that is recorded."""
        found = self._about(judged)
        # Isolation reaches no memoised function: where it helps, none was to blame.
        if found and found.conflict.entry.is_memoised and judged.isolation_cures:
            return None
        return found

    def _about(self, judged: Judged) -> Suspicion | None:
        if judged.verdict is Verdict.SELF_POLLUTING:
            return self.own.get(judged.test)
        found = self.audited.suspects.get(judged.test, {})
        if judged.verdict is Verdict.CROSS_PROCESS:
            return self.own.get(judged.test) or next(iter(found.values()), None)
        accused = (test for group in judged.after for test in group)
        return next((found[test] for test in accused if test in found), None)


def _by_itself(note: Note) -> Suspicion | None:
    """Return an entry that a test looks at before it leaves it."""
    actor = Actor(note.name, note.around, (note.test,))
    for entry, look in note.looked.items():
        if left := note.left.get(entry):
            leaver, looker = Leaver(actor, left), Looker(actor, look)
            conflict = Conflict(entry, look.alias, (leaver,), (looker,))
            return Suspicion(conflict, leaver, looker)
    return None
