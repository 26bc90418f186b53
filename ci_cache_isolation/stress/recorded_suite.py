"""The suite's own order, isolated and recorded: what each test leaves in caches."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from ci_cache_isolation.evidence.evidence import Evidence
from ci_cache_isolation.evidence.notes import read
from ci_cache_isolation.running.forks import ForkServerError
from ci_cache_isolation.running.jobs import Job, SectionMode
from ci_cache_isolation.running.limits import Runs

__all__ = ["RecordedSuite"]

_NOTES = "notes"


class RecordedSuite:
    """Evidence about tests, kept in a folder."""

    def __init__(self, tests: Sequence[str], folder: Path) -> None:
        self._tests = tuple(tests)
        self._notes = folder / _NOTES

    def job(self) -> Job:
        """Return the run that is recorded."""
        return Job(self._tests, SectionMode.ISOLATED, notes=str(self._notes))

    def earlier(self) -> Evidence | None:
        """Return what a run that is resumed has recorded, if that is all of it."""
        evidence = Evidence.drawn(read(self._notes))
        if evidence.notes.keys() >= set(self._tests):
            return evidence
        for path in self._notes.glob("*.jsonl"):
            path.unlink(missing_ok=True)
        return None

    def evidence(self, run: Runs | None) -> Evidence:
        """Read what was recorded; by ``run`` it is done now."""
        if run is not None:
            with suppress(ForkServerError):
                for _ in run([self.job()]):
                    pass
        return Evidence.drawn(read(self._notes))
