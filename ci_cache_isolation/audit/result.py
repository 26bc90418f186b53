"""What is asked of an audit, and what it came to."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ci_cache_isolation.evidence.conflicts import Audited, Conflict
from ci_cache_isolation.judging.finding import Finding

__all__ = ["AuditRequest", "AuditResult", "Standing"]


class Standing(enum.StrEnum):
    """What is known of a conflict when an audit has ended."""

    CARRIED = "carried"
    HARMLESS = "harmless"
    UNTESTED = "untested"


@dataclass(frozen=True, slots=True)
class AuditRequest:
    """What is run, over how many workers, and whether conflicts are put to the test.

    For that there are so many ``minutes``.
    """

    labels: tuple[str, ...]
    processes: int
    confirms: bool
    minutes: float
    hashes_keys: bool = False
    recorded: Path | None = None
    """The folder that any test command has written into; None to run the suite now."""


@dataclass(slots=True)
class AuditResult:
    """What is known so far. ``seconds`` is the time of the ordinary run.

    ``failure`` says why conflicts could not be put to the test.
    """

    runner: str
    processes: int
    settings: str = ""
    seconds: float = 0.0
    failed: list[str] = field(default_factory=list)
    audited: Audited = field(default_factory=Audited)
    findings: list[Finding] = field(default_factory=list)
    confirmed_runs: int = 0
    confirmed_seconds: float = 0.0
    tested: dict[str, frozenset[str]] = field(default_factory=dict)
    """Victims, with those that were put to the test before them."""
    untested: dict[str, None] = field(default_factory=dict)
    asked_all_callers: bool = True
    is_confirmed: bool = False
    is_interrupted: bool = False
    failure: str = ""
    remarks: list[str] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Whether each conflict was put to the test."""
        is_tested = self.is_confirmed and not self.untested and self.asked_all_callers
        return is_tested or not self.audited.conflicts

    def come_to(self) -> list[tuple[Conflict, Standing]]:
        """Return every conflict with what is known of it."""
        carried = {each for finding in self.findings for each in finding.carrying}
        findings = {each.test: each for each in self.findings}
        return [
            (
                each,
                Standing.CARRIED
                if each.entry in carried
                else Standing.HARMLESS
                if self._is_tested(each, findings)
                else Standing.UNTESTED,
            )
            for each in self.audited.conflicts
        ]

    def _is_tested(self, conflict: Conflict, findings: Mapping[str, Finding]) -> bool:
        """Return whether all suspicions of a conflict were put to the test.

        Where two tests meet in another entry that decides, this one was tested only if
        it alone was left in place once.
        """
        if conflict.is_common:
            return self.is_confirmed and self.asked_all_callers
        leavers = {test for each in conflict.left_by for test in each.actor.tests}
        victims = {test for each in conflict.seen_by for test in each.actor.tests}
        suspected = [
            (victim, leavers & self.audited.suspects[victim].keys())
            for victim in victims
            if victim in self.audited.suspects
        ]
        pairs = [(victim, found) for victim, found in suspected if found]
        for victim, polluters in pairs:
            if not polluters <= self.tested.get(victim, frozenset()):
                return False
            finding = findings.get(victim)
            if finding is None or conflict.entry in finding.decided.harmless:
                continue
            changing = {test for group in finding.judged.after for test in group}
            if changing & polluters:
                return False
        return bool(pairs)
