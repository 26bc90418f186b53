"""A test that was judged, and what carried it: what every report shows."""

from __future__ import annotations

from dataclasses import dataclass

from ci_cache_isolation.evidence.account import Entry
from ci_cache_isolation.evidence.conflicts import Suspicion
from ci_cache_isolation.judging.carrier import Carried
from ci_cache_isolation.judging.deciding_entry import NOT_TRIED, Decided
from ci_cache_isolation.judging.judged import Judged

__all__ = ["Finding"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A judged test, what carried it, and a command that was seen to show it.

    ``suspicion`` is None where nothing is known of that. ``decided`` is what an
    experiment said of the entries. ``replay`` is None where no command showed it.
    ``carried`` is what else carried it, where no cache and no function did.
    """

    judged: Judged
    suspicion: Suspicion | None = None
    decided: Decided = NOT_TRIED
    replay: str | None = None
    carried: Carried | None = None

    @property
    def test(self) -> str:
        """The test."""
        return self.judged.test

    @property
    def carrier(self) -> Suspicion:
        """What carried it, of a finding of which that is known."""
        assert self.suspicion is not None
        return self.suspicion

    @property
    def is_carried(self) -> bool:
        """Whether the entry is known to carry it, and not only to be common to both."""
        if self.carried is not None:
            return True
        if self.suspicion is None:
            return False
        if self.decided.is_whole:
            return bool(self.decided.groups)
        return self.judged.proof.is_known or not self.entry.is_memoised

    @property
    def entry(self) -> Entry:
        """The entry that carried it."""
        return self.carrier.conflict.entry

    @property
    def carrying(self) -> dict[Entry, Suspicion]:
        """All that carry it, together or each of them alone, by entry."""
        groups = self.decided.groups
        if not groups and self.suspicion is not None:
            groups = ((self.suspicion,),)
        return {each.conflict.entry: each for group in groups for each in group}

    @property
    def together(self) -> tuple[Suspicion, ...]:
        """What is needed to carry it besides the first entry."""
        return self.decided.groups[0][1:] if self.decided.groups else ()
