"""From suspicions to findings: what is run in forks, in which sequence."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from ci_cache_isolation.audit.callers import affected_by, callers_of, probes_of
from ci_cache_isolation.audit.result import AuditRequest, AuditResult
from ci_cache_isolation.evidence.carriers import Carriers
from ci_cache_isolation.evidence.conflicts import Suspicion
from ci_cache_isolation.evidence.hashing import is_hashed
from ci_cache_isolation.evidence.notes import Note
from ci_cache_isolation.judging.carrying import fitting
from ci_cache_isolation.judging.cleaners import with_cleaners
from ci_cache_isolation.judging.deciding_entry import NOT_TRIED, Decided, decide
from ci_cache_isolation.judging.finding import Finding
from ci_cache_isolation.judging.judged import Judged
from ci_cache_isolation.judging.suspicions import confirm, quickest_first
from ci_cache_isolation.judging.verdicts import Verdict
from ci_cache_isolation.running.forks import ForkClient
from ci_cache_isolation.running.jobs import Forked, Job
from ci_cache_isolation.running.limits import Runs, TimeLimit
from ci_cache_isolation.running.outcomes import FAILED, PASSED
from ci_cache_isolation.running.output import counted

__all__ = ["Proving"]

_UNEXPLAINED = (
    "The outcome of {tests} changed after others, by several together or by what is "
    "neither a cache nor a memoised function. cache-isolation stress finds the orders."
)
_NOT_ALL_CALLERS = (
    "Not all callers of memoised functions were put to the test: the time set with "
    "--minutes, {minutes:g}, was over. Give it more, or fewer tests."
)


class Proving:
    """Adds findings to a result, as they are proved, within a time."""

    def __init__(
        self,
        result: AuditResult,
        request: AuditRequest,
        server: ForkClient,
        limit: TimeLimit,
        say: Callable[[str], None],
    ) -> None:
        self._result = result
        self._request = request
        self._server = server
        self._limit = limit
        self._say = say
        self._known = frozenset(server.tests)
        self._carriers = Carriers(result.audited.conflicts)

    def run(self, processes: int, notes: Iterable[Note]) -> None:
        """Put suspicions to the test, then those that show when many are run."""
        result = self._result
        run = self._runs(processes)
        alone = self._runs(1) if processes > 1 else None

        def put_to_the_test(suspects: Mapping[str, Iterable[str]]) -> None:
            def found(judged: Judged) -> None:
                self._found(judged, run)

            ordered = self._ordered(suspects)
            confirmation = confirm(
                ordered, run, processes, found, alone, self._limit.is_over
            )
            result.untested |= dict.fromkeys(confirmation.untested)
            for victim, polluters in confirmation.tested.items():
                known = result.tested.get(victim, frozenset())
                result.tested[victim] = known | polluters

        put_to_the_test(result.audited.suspects)
        put_to_the_test(self._ask_callers(run))
        # As they ran, whichever was proved first.
        places = {test: at for at, test in enumerate(result.audited.tests)}
        result.findings.sort(key=lambda each: places[each.test])
        if result.findings:
            result.findings = with_cleaners(
                result.findings, notes, self._known, run, self._limit.is_over
            )

    def _runs(self, at_a_time: int) -> Runs:
        """Return what runs jobs within the time, and counts them."""

        def run(jobs: Iterable[Job]) -> Iterator[Forked]:
            for forked in self._server.run(jobs, at_a_time):
                self._result.confirmed_runs += 1
                yield forked

        return self._limit.within(run, lambda: self._server.seconds)

    def _ordered(
        self, suspects: Mapping[str, Iterable[str]]
    ) -> dict[str, Sequence[str]]:
        """Return suspicions of known tests, polluters in the sequence of the run."""
        audited, known = self._result.audited, self._known
        places = {test: at for at, test in enumerate(audited.tests)}
        ordered = {
            victim: sorted(
                (each for each in found if each in known), key=places.__getitem__
            )
            for victim, found in suspects.items()
            if victim in known
        }

        def cause(victim: str) -> Hashable:
            found = audited.suspects.get(victim, {})
            first = next(iter(found.values()), None)
            return first and (first.conflict.alias, first.leaver.site.at)

        return quickest_first(ordered, audited.seconds, cause)

    def _found(self, judged: Judged, run: Runs) -> None:
        """Add what is confirmed, with what carried it."""
        if judged.verdict is Verdict.NON_DETERMINISTIC:
            return
        findings = self._result.findings
        for at, known in enumerate(findings):
            if known.judged.test == judged.test:
                # By a cache and by what functions remember.
                after = (*known.judged.after, *judged.after)
                both = replace(known.judged, after=tuple(dict.fromkeys(after)))
                findings[at] = replace(known, judged=both)
                return
        common = self._carriers.between(judged.test, judged.after[0])
        suspicions = fitting(common, judged.proof) or common
        if suspicions:
            decided = self._decided(judged, suspicions, run)
            carrier = decided.first or suspicions[0]
            findings.append(Finding(judged, carrier, decided))

    def _decided(
        self, judged: Judged, suspicions: Sequence[Suspicion], run: Runs
    ) -> Decided:
        if self._request.recorded is not None and any(
            is_hashed(each.conflict.entry.key) for each in suspicions
        ):
            # Another run's hashes: which keys they are of is not known.
            return NOT_TRIED
        return decide(
            suspicions,
            judged.order,
            FAILED if judged.verdict is Verdict.BRITTLE else PASSED,
            run,
            is_known=judged.proof.is_known,
        )

    def _ask_callers(self, run: Runs) -> dict[str, list[str]]:
        """Return who is affected by whom of those that call what many call."""
        audited, known = self._result.audited, self._known
        callers = [
            each for each in callers_of(audited.common, audited.tests) if each in known
        ]
        suspects: dict[str, list[str]] = {}
        if not callers:
            return suspects
        number = counted(len(callers), "caller")
        self._say(f"Running {number} of memoised functions together…")
        carriers = Carriers(audited.common)
        probes = probes_of(audited.common, callers)
        found = affected_by(callers, probes, run, self._limit.is_over)
        unexplained = found.unexplained
        for victim, polluters in found.suspects.items():
            for polluter in polluters:
                if not carriers.between(victim, [polluter]):
                    unexplained += 1
                elif polluter not in audited.suspects.get(victim, {}):
                    suspects.setdefault(victim, []).append(polluter)
        if unexplained:
            self._result.remarks.append(
                _UNEXPLAINED.format(tests=counted(unexplained, "test"))
            )
        self._result.asked_all_callers = found.is_whole
        if not found.is_whole:
            self._result.remarks.append(
                _NOT_ALL_CALLERS.format(minutes=self._request.minutes)
            )
        return suspects
