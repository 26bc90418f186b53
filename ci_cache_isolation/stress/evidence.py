"""What carried a failure from one test to another, by what the audit wrote down.

One order is run with isolation on and the books open. Each test does there what it does
alone, so it is known of any two what one would leave to the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ci_cache_isolation.audit.carriers import carrier
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
    own: Mapping[str, Sequence[Suspicion]] = field(default_factory=dict)

    @classmethod
    def drawn(cls, notes: Iterable[Note]) -> Evidence:
        """Draw it from what a run has written down."""
        kept = list(notes)
        own = {note.test: _by_itself(note) for note in kept if note.test}
        return cls(audited(kept), own)

    @property
    def suspects(self) -> dict[str, Sequence[str]]:
        """By each test those whose traces it would meet."""
        return {test: list(found) for test, found in self.audited.suspects.items()}

    def about(self, judged: Judged) -> Suspicion | None:
        """Return what carried a finding, None where it is nothing that is recorded.

        It has to fit the proof: an entry where isolation makes the difference, a
        memoised function where only that helps which has functions forget.
        """
        test, proof = judged.test, judged.proof
        own = self.own.get(test, ())
        if judged.verdict is Verdict.CROSS_PROCESS:
            others = self.audited.suspects.get(test, {}).values()
            return next(iter([*own, *others]), None)
        if not proof.is_known:
            return None
        found: Iterable[Suspicion | None] = own
        if judged.verdict is not Verdict.SELF_POLLUTING:
            found = (
                carrier(self.audited, test, polluter, proof)
                for group in judged.after
                for polluter in group
            )
        return next(
            (
                each
                for each in found
                if each and each.conflict.entry.is_memoised == proof.is_of_memoised
            ),
            None,
        )


def _by_itself(note: Note) -> list[Suspicion]:
    """Return the entries that a test looks at before it leaves them."""
    actor = Actor(note.name, note.around, (note.test,))
    found = []
    for entry, look in note.looked.items():
        if left := note.left.get(entry):
            leaver, looker = Leaver(actor, left), Looker(actor, look)
            conflict = Conflict(entry, look.alias, (leaver,), (looker,))
            found.append(Suspicion(conflict, leaver, looker))
    return found
