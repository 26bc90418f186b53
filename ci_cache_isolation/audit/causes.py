"""Which findings have one cause. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ci_cache_isolation.evidence.conflicts import Conflict
from ci_cache_isolation.evidence.patterns import pattern_of
from ci_cache_isolation.judging.finding import Finding

__all__ = ["Cause", "by_cause", "by_pattern"]


@dataclass(frozen=True, slots=True)
class Cause:
    """Findings that one change would fix, most likely."""

    findings: Sequence[Finding]

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the entries, each once."""
        groups = [
            [each.carrier, *(group[0] for group in each.decided.groups[1:])]
            for each in self.findings
        ]
        keys = (each.conflict.entry.key for group in groups for each in group)
        return tuple(dict.fromkeys(keys))

    @property
    def after(self) -> tuple[tuple[str, ...], ...]:
        """All polluters or state-setters; what is in one group is needed together."""
        groups = (group for each in self.findings for group in each.judged.after)
        return tuple(dict.fromkeys(groups))

    @property
    def is_shared(self) -> bool:
        """Whether every finding has all of these polluters."""
        return all(len(each.judged.after) == len(self.after) for each in self.findings)


def by_cause(findings: Iterable[Finding]) -> list[Cause]:
    """Put together what has one cause, most victims first.

    What the same tests leave at one line is one cause, and so is what any tests leave
    at one line under keys of one pattern.
    """
    groups: list[tuple[set[object], list[Finding]]] = []
    for each in findings:
        at, alias = each.carrier.leaver.site.at, each.carrier.conflict.alias
        causes: set[object] = {
            (each.judged.after, at),
            (alias, pattern_of(each.entry.key), at),
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
