"""The audit on a terminal: one card for each cause, and what was harmless."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from ci_cache_isolation.audit.causes import Cause, by_cause, by_pattern
from ci_cache_isolation.audit.result import AuditResult
from ci_cache_isolation.evidence.conflicts import Conflict
from ci_cache_isolation.evidence.patterns import pattern_of
from ci_cache_isolation.judging.finding import Finding
from ci_cache_isolation.judging.judged import Judged
from ci_cache_isolation.judging.proofs import TIMES, Verdict
from ci_cache_isolation.report.words import (
    counted,
    located,
    place,
    printable,
    remembered,
    together,
)

__all__ = ["AuditTerminal"]

SHOWN_CARDS = 25
SHOWN_TESTS = 5


class AuditTerminal:
    """Says things as they become known; keys and ids reach it as text only."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def begin(self, runner: str, processes: int, recorded: Path | None = None) -> None:
        """Say what is going to be run, or where it was recorded."""
        if recorded is not None:
            self._say(
                f"Audit with {runner} of what was recorded in {recorded}.", "bold"
            )
            return
        over = f", over {processes} workers" if processes > 1 else ""
        self._say(
            f"Audit with {runner}: one ordinary run{over}, caches isolated.", "bold"
        )

    def step(self, text: str) -> None:
        """Say what is going on."""
        self._say(printable(text))

    def end(self, result: AuditResult, report: Path) -> None:
        """Say what was found, and what to do about it."""
        if result.is_interrupted:
            self._say("Interrupted: what follows is what was known until then.")
        for remark in result.remarks:
            self._say(printable(remark))
        if result.failed:
            self._say(
                f"{counted(len(result.failed), 'test')} failed in the audit's own run, "
                "with isolation. What passes with CI_CACHE_ISOLATION=off needs what "
                "another test leaves in a cache, or looks past the cache API "
                "(docs/limits.md)."
            )
            for test in result.failed[:SHOWN_TESTS]:
                self._say(f"    {test}")
            self._more(len(result.failed))
        if not result.is_confirmed:
            self._conflicts(result.audited.conflicts)
        cards = by_cause(result.findings)
        for number, cause in enumerate(cards[:SHOWN_CARDS], start=1):
            self._card(cause, f"Leak {number} of {len(cards)}")
        if len(cards) > SHOWN_CARDS:
            self._say(f"And {len(cards) - SHOWN_CARDS} more, see the report.")
        self._console.print()
        self._sum(result, len(cards))
        self._say(located(report))

    def _conflicts(self, conflicts: Sequence[Conflict]) -> None:
        """List what was read and not put to the test, a pattern of keys at a time."""
        groups = by_pattern(conflicts)
        for group in groups[:SHOWN_CARDS]:
            first = group[0]
            keys = tuple(dict.fromkeys(each.entry.key for each in group))
            self._say(f"  {_heading(first, keys)}", "bold")
            leaver, looker = next(first.pairs())
            self._say(
                f"    {leaver.left.how.value} by {leaver.actor.test}, "
                f"{place(leaver.site)}"
            )
            self._say(f"    read by {looker.actor.test}, {place(looker.site)}")
        if len(groups) > SHOWN_CARDS:
            self._say(f"  and {len(groups) - SHOWN_CARDS} more, see the report")

    def _card(self, cause: Cause, title: str) -> None:
        findings = cause.findings
        leaver = findings[0].carrier.leaver
        how = leaver.left.how.value
        self._console.print()
        self._say(f"{title}: {_carrier(cause)}", "bold red")
        if not findings[0].is_carried:
            self._say("  or something else that these tests have in common")
        self._say(f"  {how} at {place(leaver.site)}, by")
        for group in cause.after[:SHOWN_TESTS]:
            self._say(f"    {together(group)}")
        self._more(len(cause.after))
        seconds = leaver.expires_soon_in
        if seconds is not None:
            self._say(
                f"  It expires {seconds:.3g} s after that test: whether another one "
                "meets it is a matter of time."
            )
        for finding in findings[:SHOWN_TESTS]:
            first = finding.judged.after[0]
            self._victim(finding, "it" if cause.is_shared else together(first))
        self._more(len(findings))
        shown = next((each.replay for each in findings if each.replay), None)
        if shown:
            self._say("  See it fail, as it just did in a cold process:")
            self._say(f"    {shown}")

    def _victim(self, finding: Finding, polluter: str) -> None:
        judged, proof = finding.judged, finding.judged.proof
        what = (
            f"fails alone and passes after {polluter}"
            if judged.verdict is Verdict.BRITTLE
            else f"passes alone and fails after {polluter}"
        )
        self._say(f"  {printable(judged.test)}", "bold")
        self._say(f"    {what}; reads it at {place(finding.carrier.looker.site)}")
        self._say(
            f"    failed alone {proof.alone}/{TIMES}, after it "
            f"{proof.after}/{TIMES}, isolated {proof.isolated}/{TIMES}"
            + ("" if proof.reset is None else f", reset {proof.reset}/{TIMES}")
            + _carries(judged)
        )
        if judged.message:
            self._say(f"    {printable(judged.message)}")
        if judged.cleaners:
            first, *more = judged.cleaners
            others = f", or one of {len(more)} more" if more[1:] else ""
            others = ", or one more" if len(more) == 1 else others
            self._say(f"    hidden when {printable(first)} runs between{others}")

    def _sum(self, result: AuditResult, leaks: int) -> None:
        # Of what was recorded nobody has taken the time.
        took = f" in {result.seconds:.1f} s" if result.seconds else ""
        text = (
            f"{counted(len(result.audited.tests), 'test')}{took}: "
            f"{counted(len(result.audited.conflicts), 'conflict')}, where one test "
            "leaves what another one reads."
        )
        if result.confirmed_runs or (result.is_confirmed and not result.is_whole):
            text += (
                f" {counted(result.confirmed_runs, 'short run')} in "
                f"{result.confirmed_seconds:.1f} s showed "
            )
            text += (
                f"{counted(leaks, 'leak')}: the outcome of "
                f"{counted(len(result.findings), 'test')} depends on it."
                if leaks
                else "no leak: no outcome depends on it."
                if result.is_whole
                else "no leak, but not all was put to the test."
            )
        self._say(text, "bold red" if result.findings else "bold green")
        cured = sum(each.judged.proof.is_cured for each in result.findings)
        if cured:
            which = (
                "all of them" if cured == len(result.findings) else f"{cured} of them"
            )
            which = "it" if len(result.findings) == 1 else which
            they_pass = "the test passes" if cured == 1 else "they pass"
            self._say(
                f"Isolation cures {which}: after the same tests {they_pass} when each "
                "has a section of its own."
            )
        reset = sum(each.judged.proof.is_of_memoised for each in result.findings)
        if reset:
            which = "it" if len(result.findings) == 1 else f"{reset} of them"
            self._say(
                f"Isolation does not cure {which}, which functions remember: "
                "call cache_clear() in the tests' set-up, or set reset_memoised."
            )
        brittle = sum(
            each.judged.verdict is Verdict.BRITTLE for each in result.findings
        )
        if brittle:
            self._say(
                f"{counted(brittle, 'test')} of them, isolated or not, fails without "
                "what another one leaves: let it store that itself."
                if brittle == 1
                else f"{brittle} tests of them, isolated or not, fail without what "
                "others leave: let them store that themselves."
            )
        if not result.is_confirmed:
            return
        if number := len(result.harmless):
            self._say(
                f"{counted(number, 'conflict')} changed no outcome: listed in the "
                "report, and harmless as far as the tests tell."
            )
        if number := len(result.not_tested):
            was = "was" if number == 1 else "were"
            self._say(
                f"{counted(number, 'conflict')} {was} not put to the test, or not "
                "apart from others: listed in the report."
            )

    def _more(self, number: int) -> None:
        if number > SHOWN_TESTS:
            self._say(f"    and {number - SHOWN_TESTS} more, see the report")

    def _say(self, text: str, style: str = "") -> None:
        self._console.print(Text(printable(text), style), soft_wrap=True)


def _carries(judged: Judged) -> str:
    """Say of a brittle test what its isolated runs mean: where they pass, no cure."""
    if judged.verdict is not Verdict.BRITTLE:
        return ""
    is_cache = judged.proof.is_of_caches
    return f": {'a cache' if is_cache else 'no cache'} carries what it needs"


def _carrier(cause: Cause) -> str:
    first = cause.findings[0]
    if first.together:
        suspicions = [first.carrier, *first.together]
        return together(remembered(each.conflict) for each in suspicions)
    return _heading(first.carrier.conflict, cause.keys)


def _heading(conflict: Conflict, keys: Sequence[str]) -> str:
    if conflict.entry.is_memoised:
        return remembered(conflict)
    if len(keys) == 1:
        return remembered(conflict)
    return f"{_keys(keys)} in cache {conflict.alias!r}"


def _keys(keys: Sequence[str]) -> str:
    """Return what several keys have in common, and how many they are."""
    patterns = dict.fromkeys(map(pattern_of, keys))
    if len(patterns) == 1:
        return f"{next(iter(patterns))!r} ({len(keys)} keys)"
    return f"{keys[0]!r} and {len(keys) - 1} more"
