"""What is found, and which findings have one cause. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ci_cache_isolation.audit.account import Entry
from ci_cache_isolation.audit.confirming import Confirmed
from ci_cache_isolation.audit.conflicts import Conflict, Suspicion
from ci_cache_isolation.audit.deciding import NOT_TRIED, Decided
from ci_cache_isolation.audit.patterns import pattern_of

__all__ = ["Cause", "Finding", "by_cause", "by_pattern"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What is confirmed, the entry that carried it, and a command that shows it.

    ``decided`` is what an experiment said of the entries. ``cleaners`` are tests that
    hide it when they run between. ``replay`` is None where no command was seen to show
    it.
    """

    confirmed: Confirmed
    suspicion: Suspicion
    decided: Decided = NOT_TRIED
    cleaners: tuple[str, ...] = ()
    replay: str | None = None

    @property
    def is_carried(self) -> bool:
        """Whether the entry is known to carry it, and not only to be common to both."""
        if self.decided.is_whole:
            return bool(self.decided.groups)
        return self.confirmed.proof.is_known or not self.entry.is_memoised

    @property
    def entry(self) -> Entry:
        """The entry."""
        return self.suspicion.conflict.entry

    @property
    def carrying(self) -> set[Entry]:
        """All entries that carry it, together or each of them alone."""
        groups = self.decided.groups or ((self.suspicion,),)
        return {each.conflict.entry for group in groups for each in group}

    @property
    def together(self) -> tuple[Suspicion, ...]:
        """What is needed to carry it besides the first entry."""
        return self.decided.groups[0][1:] if self.decided.groups else ()

    @property
    def key(self) -> str:
        """Its key."""
        return self.entry.key


@dataclass(frozen=True, slots=True)
class Cause:
    """Findings that one change would fix, most likely."""

    findings: Sequence[Finding]

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the entries, each once."""
        groups = [
            [each.suspicion, *(group[0] for group in each.decided.groups[1:])]
            for each in self.findings
        ]
        keys = (each.conflict.entry.key for group in groups for each in group)
        return tuple(dict.fromkeys(keys))

    @property
    def after(self) -> tuple[tuple[str, ...], ...]:
        """All polluters or state-setters; what is in one group is needed together."""
        groups = (group for each in self.findings for group in each.confirmed.after)
        return tuple(dict.fromkeys(groups))

    @property
    def is_shared(self) -> bool:
        """Whether every finding has all of these polluters."""
        return all(
            len(each.confirmed.after) == len(self.after) for each in self.findings
        )


def by_cause(findings: Iterable[Finding]) -> list[Cause]:
    """Put together what has one cause, most victims first.

    What the same tests leave at one line is one cause, and so is what any tests leave
    at one line under keys of one pattern.
    """
    groups: list[tuple[set[object], list[Finding]]] = []
    for each in findings:
        at, alias = each.suspicion.leaver.site.at, each.suspicion.conflict.alias
        causes: set[object] = {
            (each.confirmed.after, at),
            (alias, pattern_of(each.key), at),
        }
        joined = [group for group in groups if not group[0].isdisjoint(causes)]
        if not joined:
            groups.append((causes, [each]))
            continue
        first, *others = joined
        for other in others:
            first[0].update(other[0])
            first[1].extend(other[1])
        first[0].update(causes)
        first[1].append(each)
        groups = [group for group in groups if group not in others]
    most_first = sorted(groups, key=lambda group: -len(group[1]))
    return [Cause(group) for _, group in most_first]


def by_pattern(conflicts: Iterable[Conflict]) -> list[list[Conflict]]:
    """Put together the conflicts of one alias whose keys have one pattern."""
    groups: dict[tuple[str, str], list[Conflict]] = {}
    for each in conflicts:
        name = each.entry.key
        if not each.entry.is_memoised:
            name = pattern_of(name)
        groups.setdefault((each.alias, name), []).append(each)
    return list(groups.values())
