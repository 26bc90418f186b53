"""Cleaners: tests that hide a leak, since they remove what would be met. Pure.

Who may be one is read off the notes; who is one is seen when it runs between the
polluter and the victim, and the victim ends as it does alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice, takewhile, zip_longest

from ci_cache_isolation.evidence.account import Entry, How
from ci_cache_isolation.evidence.notes import Note
from ci_cache_isolation.judging.finding import Finding
from ci_cache_isolation.judging.verdicts import Verdict
from ci_cache_isolation.running.jobs import Job
from ci_cache_isolation.running.limits import Runs
from ci_cache_isolation.running.outcomes import FAILED, PASSED

__all__ = ["candidates", "cleaners", "with_cleaners"]

_MOST_TRIED = 20
_MOST_NAMED = 10


def with_cleaners(
    findings: Sequence[Finding],
    notes: Iterable[Note],
    known: Collection[str],
    run: Runs,
    is_over: Callable[[], bool],
) -> list[Finding]:
    """Return findings with those who hide them, out of the tests that are ``known``."""
    entries = {each.entry for each in findings}
    may_clean = candidates(entries, (each for each in notes if each.test in known))
    hiding = cleaners(findings, may_clean, run, is_over)
    return [
        replace(each, judged=replace(each.judged, cleaners=hiding[each.test]))
        for each in findings
    ]


def candidates(
    entries: Collection[Entry], notes: Iterable[Note]
) -> dict[Entry, list[str]]:
    """Return for each entry the tests that store, delete or clear it without looking.

    Or that look and delete it. They come from as many classes as there are.
    """
    found: defaultdict[Entry, defaultdict[str, list[str]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for note in notes:
        where = note.around[-1] if note.around else ""
        for entry in entries:
            if _may_clean(note, entry):
                found[entry][where].append(note.test)
    return {
        entry: [
            test
            for row in zip_longest(*by_class.values())
            for test in row
            if test is not None
        ]
        for entry, by_class in found.items()
    }


def _may_clean(note: Note, entry: Entry) -> bool:
    if entry.place in note.cleared or entry in note.tidied:
        return True
    left = note.left.get(entry)
    if left is not None:
        return left.how is not How.STORED or entry not in note.looked
    return any(search.finds(entry) for search in note.emptied)


def cleaners(
    findings: Sequence[Finding],
    found: Mapping[Entry, Sequence[str]],
    run: Runs,
    is_over: Callable[[], bool],
) -> dict[str, tuple[str, ...]]:
    """Return by victim who hides what it would meet, out of those who may.

    Each is run once, between the first polluter and the victim. When ``is_over`` says
    so no more is begun.
    """
    seen: defaultdict[str, list[str]] = defaultdict(list)
    jobs = takewhile(lambda _: not is_over(), _jobs(findings, found))
    alone = {
        each.test: FAILED if each.judged.verdict is Verdict.BRITTLE else PASSED
        for each in findings
    }
    for forked in run(jobs):
        *_, cleaner, victim = forked.job.tests
        if forked.last == alone[victim]:
            seen[victim].append(cleaner)
    # They ended in any sequence.
    return {
        each.test: tuple(
            test for test in found.get(each.entry, ()) if test in seen[each.test]
        )[:_MOST_NAMED]
        for each in findings
    }


def _jobs(
    findings: Sequence[Finding], found: Mapping[Entry, Sequence[str]]
) -> Iterator[Job]:
    for each in findings:
        victim, after = each.test, each.judged.after
        involved = {victim, *(test for group in after for test in group)}
        others = (test for test in found.get(each.entry, ()) if test not in involved)
        for cleaner in islice(others, _MOST_TRIED):
            yield Job((*after[0], cleaner, victim))
