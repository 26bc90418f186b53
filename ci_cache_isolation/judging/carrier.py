"""The trace that carries a failure where no cache does: found and proved by experiment.

The polluters run once more, and what is not as it was when the victim is to begin is
told. All of it is put back: if the outcome turns, something in there carries it. What
alone in place is enough is the carrier, and what alone put back undoes it is its proof.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ci_cache_isolation.evidence.trace import Trace, read
from ci_cache_isolation.judging.deciding import Experiment, OverError
from ci_cache_isolation.judging.judged import Judged
from ci_cache_isolation.judging.proofs import TIMES
from ci_cache_isolation.judging.verdicts import Verdict
from ci_cache_isolation.running.jobs import Job, SectionMode
from ci_cache_isolation.running.limits import Runs
from ci_cache_isolation.running.outcomes import FAILED, PASSED
from ci_cache_isolation.state.where import Where

__all__ = ["Carried", "carried"]

_FILE = "traces.json"


@dataclass(frozen=True, slots=True)
class Carried:
    """What carries a failure. ``traces`` are needed together, the nearest first.

    ``put_back`` says how often out of `TIMES` the test failed when they, and nothing
    else, were put back. ``cure`` are the names to register, with which its order was
    seen to pass; none where that was not seen, or where it needs what is left.
    """

    traces: tuple[Trace, ...]
    put_back: int
    cure: tuple[str, ...] = ()

    @property
    def first(self) -> Trace:
        """The first of them."""
        return self.traces[0]


def carried(
    judged: Judged,
    run: Runs,
    folder: Path,
    *,
    sections: SectionMode,
) -> Carried | None:
    """Return what carries a failure from tests to another one; None where nothing does.

    ``run`` runs jobs in forks of one process. None too when the time was over.
    """
    try:
        return _Search(judged, run, folder, sections).carried()
    except OverError:
        return None


class _Search:
    def __init__(
        self, judged: Judged, run: Runs, folder: Path, sections: SectionMode
    ) -> None:
        self._judged = judged
        self._run = run
        self._file = folder / _FILE
        self._sections = sections
        is_brittle = judged.verdict is Verdict.BRITTLE
        self._alone = FAILED if is_brittle else PASSED
        self._where = Where.NEAR

    def carried(self) -> Carried | None:
        for where in Where:
            self._where = where
            if groups := self._deciding():
                break
        else:
            return None
        group = groups[0]
        failed = self._failed(self._without(group))
        if failed != (TIMES if self._alone == FAILED else 0):
            # Others are enough as well: together they carry it.
            group = tuple(dict.fromkeys(each for some in groups for each in some))
            failed = self._failed(self._without(group))
        if len(group) == 1 and self._where is not Where.ROWS:
            group = tuple(self._told(watched=group[0])) or group
        # It is of no use from here on, and may be a secret.
        shown = tuple(each._replace(key=None) for each in group)
        return Carried(shown, failed, self._cure(group))

    def _deciding(self) -> list[tuple[Trace, ...]]:
        """Return the groups of traces that are enough, of the project's or of all."""
        # What has a name first: of several that are enough it is the one to tell.
        traces = self._told()
        traces.sort(key=lambda trace: (not trace.name, not trace.path))
        experiment = Experiment(traces, self._without, self._alone, self._run)
        return experiment.deciding()[0]

    def _told(self, watched: Trace | None = None) -> list[Trace]:
        """Return what the tests leave; or one trace of it, with the line that did."""
        self._file.unlink(missing_ok=True)
        job = self._job(
            traces=str(self._file),
            watched=None if watched is None else watched.mark,
        )
        for forked in self._run([job]):
            if forked.came_to is None:
                raise OverError
        found = read(self._file)
        self._file.unlink(missing_ok=True)
        return [each for each in found if watched is None or each.mark == watched.mark]

    def _without(self, traces: Sequence[Trace]) -> Job:
        marks = tuple(each.mark for each in traces)
        return self._job(put_back=marks)

    def _cure(self, traces: Sequence[Trace]) -> tuple[str, ...]:
        """Return the names that cure it when they are registered, if they do."""
        names = tuple(dict.fromkeys(each.path for each in traces))
        if self._alone == FAILED or not all(names):
            return ()
        job = Job(self._judged.order, SectionMode.ISOLATED, state=names)
        return () if self._failed(job) else names

    def _failed(self, job: Job) -> int:
        outcomes = [forked.came_to for forked in self._run([job] * TIMES)]
        if len(outcomes) < TIMES or None in outcomes:
            raise OverError
        return sum(outcome != PASSED for outcome in outcomes)

    def _job(self, **asked: object) -> Job:
        where = self._where
        return Job(self._judged.order, self._sections, where=where, **asked)  # type: ignore[arg-type]
