"""What is asked of an audit, and what it came to."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ci_cache_isolation.audit.causes import Finding
from ci_cache_isolation.audit.conflicts import Audited, Conflict

__all__ = ["AuditResult", "Request"]


@dataclass(frozen=True, slots=True)
class Request:
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
    seconds: float = 0.0
    failed: list[str] = field(default_factory=list)
    audited: Audited = field(default_factory=Audited)
    findings: list[Finding] = field(default_factory=list)
    confirmed_runs: int = 0
    confirmed_seconds: float = 0.0
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

    @property
    def harmless(self) -> list[Conflict]:
        """The conflicts that changed nothing, as far as they were put to the test."""
        if not self.is_confirmed:
            return []
        carried = {each for finding in self.findings for each in finding.carrying}
        return [each for each in self.audited.conflicts if each.entry not in carried]
