"""The stress run: orders are observed, failing tests judged, and shown once more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from ci_cache_isolation.evidence.evidence import Evidence
from ci_cache_isolation.judging.beside import Beside, with_neighbours
from ci_cache_isolation.judging.carrying import about, met_beside, with_carrier
from ci_cache_isolation.judging.finding import Finding
from ci_cache_isolation.judging.history import Observed
from ci_cache_isolation.judging.judge import judge
from ci_cache_isolation.judging.judged import Judged
from ci_cache_isolation.judging.proofs import TIMES, Proof
from ci_cache_isolation.judging.verdicts import Verdict
from ci_cache_isolation.running.forks import ForkClient, ForkServerError
from ci_cache_isolation.running.jobs import NO_END, Forked, Job, SectionMode
from ci_cache_isolation.running.limits import Runs, TimeLimit
from ci_cache_isolation.running.order_file import Cache
from ci_cache_isolation.running.outcomes import FAILED
from ci_cache_isolation.running.output import counted, interrupted
from ci_cache_isolation.running.replaying import SECONDS, Replayer, Wanted
from ci_cache_isolation.running.runners import Runner
from ci_cache_isolation.stress.colliding import many_collided, remarks, run_again
from ci_cache_isolation.stress.executors import Executor, opened
from ci_cache_isolation.stress.observing import MANY_TIMES, Observing
from ci_cache_isolation.stress.pairs import Pairs
from ci_cache_isolation.stress.recorded_suite import RecordedSuite
from ci_cache_isolation.stress.request import Progress, StressRequest
from ci_cache_isolation.stress.results import Run, StressResult, in_sequence
from ci_cache_isolation.stress.run_file import (
    KeptFinding,
    Known,
    PlanHeader,
    RunFile,
    suite_name,
)
from ci_cache_isolation.stress.traces_first import traces_first

__all__ = ["Stress"]

JUDGING = 600.0
"""Seconds for finding reasons where no limit is set."""
_FOR_REPLAYS = 0.2
"""The part of the time that is kept for commands, if that is not too much."""
_NOT_TRACED = (
    "What each test leaves in its process was not looked at to the end: the time for "
    "that was over, or a test ended the process. What was found until then is judged, "
    "and random orders were run all the same."
)
_SECONDS = 10.0
"""The least that a run may take when a test is judged."""
_BESIDE = 200
_UNJUDGED = (
    "{count} tests that failed were not judged: the time for that was over, or their "
    "set-up is no test that can be run alone. Give it more with --minutes."
)
_GOES_ON_ALONE = (
    "Several tests failed only while other orders ran beside theirs. "
    "Going on with one order at a time…"
)
_SEVERAL = 2


class Stress:
    """Runs the plan. What is known is in ``result`` at any time, also after Ctrl-C.

    ``known`` is what an earlier run left that this one resumes.
    """

    def __init__(
        self,
        runner: Runner,
        request: StressRequest,
        orders_folder: Path,
        progress: Progress,
        known: Known | None = None,
    ) -> None:
        self.result = StressResult(
            runner.name, request.cache, request.seed, request.shard
        )
        self._runner = runner
        self._request = request
        self._folder = orders_folder
        self._progress = progress
        self._known = known
        self._sections = SectionMode(request.cache.value)
        self._beside: Beside | None = None
        self._isolating: Sequence[str] | None = ()
        self._is_recorded = False
        self._run: Runs | None = None
        self._file: RunFile | None = None
        self._kept: dict[str, KeptFinding] = {}
        self._limit = TimeLimit(0.0)
        self._found_before: Evidence | None = None
        self._recorded = RecordedSuite((), orders_folder)
        self._can_look = False
        self._traced: Sequence[Observed] = ()

    def run(self) -> StressResult:
        """Run everything.

        `CannotStartError`, `NothingRanError` and `ResumeError` end it at once.
        """
        result = self.result
        try:
            with opened(
                self._runner, self._request, self._folder, result.remarks
            ) as executor:
                result.tests, result.settings = executor.suite, executor.settings
                self._isolating = executor.isolating
                self._can_look = isinstance(executor, ForkClient)
                result.pairs = Pairs.of(executor.suite)
                try:
                    self._observe(executor)
                    self._judge(executor)
                except KeyboardInterrupt:
                    # It may have come between two orders, while another one ran.
                    executor.stop()
                    result.remarks += interrupted(executor.interrupted)
                    raise
            self._replay()
        except KeyboardInterrupt:
            result.is_interrupted = True
        except ForkServerError as error:
            # What was seen is known all the same.
            result.failure = str(error)
        result.runs = in_sequence(result.runs)
        return result

    def _observe(self, executor: Executor) -> None:
        about = PlanHeader(
            self._request,
            self._runner.name,
            executor.settings,
            suite_name(executor.suite),
        )
        tests = [test.id for test in self.result.tests]
        recorded = self._recorded = RecordedSuite(tests, self._folder)
        if self._known is not None:
            self._known.check(about)
            self._known.check_tests(executor.suite)
            for run in self._known.runs:
                self.result.runs.append(run)
                self.result.pairs.add(run.order)
            self._kept = dict(self._known.kept)
            # Under other hashes of keys it says nothing.
            is_same = not self._request.hashes_keys
            self._found_before = recorded.earlier() if is_same else None
        observing = Observing(
            self._runner,
            self._request,
            self.result,
            self._folder,
            self._progress,
            recording=None if self._found_before else recorded.job,
        )
        observing.run(executor, about, self._kept.values())
        self._is_recorded = observing.is_recorded
        self._file = observing.file
        # Of several shards one is enough, as of the suite's own order.
        is_first = self._request.shard.number == 1
        if isinstance(executor, ForkClient) and self._request.traces and is_first:
            self._trace(executor)

    def _trace(self, executor: ForkClient) -> None:
        """Find tests that fail for what others leave, whether an order showed it."""
        self._progress.step("Looking at what each test leaves…")
        traced = traces_first(
            executor,
            [test.id for test in self.result.tests],
            self._folder,
            self._sections,
            own_seconds=self.result.runs[0].seconds,
            minutes=self._request.minutes,
            at_a_time=self._request.processes,
        )
        if traced is None or not traced.is_whole:
            self.result.remarks.append(_NOT_TRACED)
        if traced is None:
            return
        self._traced = traced.observed
        self.result.left = traced.left

    def _judge(self, executor: Executor) -> None:
        """Find out what is the matter with each test that failed."""
        number = len({
            *(each.test for each in self.result.failing),
            *(test for each in self._traced for test in each.failed),
        })  # fmt: skip
        if not number and not self._may_meet(executor):
            return
        if number:
            tests = counted(number, "test")
            text = f"{tests} failed in some order. Looking for the reasons…"
            self._progress.step(text)
        minutes = self._request.minutes
        self._limit = TimeLimit(60 * minutes if minutes else JUDGING + SECONDS)
        # Commands have to be run once more, too.
        limit = self._limit.but(min(SECONDS, _FOR_REPLAYS * self._limit.left))

        def run(jobs: Iterable[Job], at_a_time: int | None = None) -> Iterator[Forked]:
            within = limit.within(
                partial(executor.run, at_a_time=at_a_time), lambda: executor.seconds
            )
            return within(jobs)

        self.result.evidence = self._found_before or self._recorded.evidence(
            None if self._is_recorded else run
        )
        # What is run now is mostly short, and a test that hangs may hang each time.
        own = self.result.runs[0].seconds
        executor.seconds = max(_SECONDS, MANY_TIMES * own)
        if self._may_meet(executor):
            self._beside = Beside(run, self.result.evidence, limit.is_over)
        at_a_time = self._request.processes
        self._run = partial(run, at_a_time=at_a_time)
        quiet = partial(run, at_a_time=1)
        judging = partial(
            judge,
            tests=[test.id for test in self.result.tests],
            suspects=self.result.evidence.suspects,
            sections=self._sections,
            is_over=limit.is_over,
            on_finding=self._found,
            run_beside=self._beside,
        )
        if at_a_time > 1:
            self.result.collided = many_collided(self.result, quiet, self._sections)
        is_alone = bool(self.result.collided)
        if is_alone:
            self._go_on_alone(quiet, are_proved=False)
        judgement = judging(
            self._observed(),
            run=self._run,
            run_alone=quiet if at_a_time > 1 and not is_alone else None,
            settled=self._settled(),
        )
        self.result.collided |= dict.fromkeys(judgement.collided)
        if len(judgement.collided) >= _SEVERAL:
            self._go_on_alone(quiet, are_proved=True)
            settled = {found.test: found for found in judgement.findings}
            judgement = judging(self._observed(), run=quiet, settled=settled)
        if self._beside is not None:
            self._screen(run, self._beside)
        collided = self.result.collided
        unjudged = [each for each in judgement.unjudged if each not in collided]
        self.result.unjudged = tuple(unjudged)
        if unjudged:
            count_of = len(unjudged)
            self.result.remarks.append(_UNJUDGED.format(count=count_of))
        self.result.remarks += remarks(self.result, at_a_time)

    def _go_on_alone(self, quiet: Runs, *, are_proved: bool) -> None:
        """Run again what may have collided, and all that follows, one at a time."""
        self._progress.step(_GOES_ON_ALONE)
        self._run = quiet
        result, sections = self.result, self._sections
        for again in run_again(result, quiet, sections, are_proved=are_proved):
            self._note(again)

    def _may_meet(self, executor: Executor) -> bool:
        """Return whether tests may meet another process here, and should."""
        is_asked = self._request.wishes.split > 1
        is_shared = self._request.cache is Cache.SHARED
        return is_asked and is_shared and isinstance(executor, ForkClient)

    def _screen(self, run: Callable[..., Iterator[Forked]], beside: Beside) -> None:
        """Look for tests that fail beside others, and only did not happen to."""
        stable = [
            test.id for test in self.result.tests if test.id not in self.result.findings
        ]
        for test in beside.screened(stable):
            jobs = [Job((test,), self._sections) for _ in range(TIMES)]
            alone = [forked.last for forked in run(jobs, at_a_time=1)]
            if len(alone) == TIMES and FAILED not in alone:
                self._found(
                    Judged(test, Verdict.CROSS_PROCESS, Proof(alone=0), (test,))
                )

    def _settled(self) -> dict[str, Judged]:
        """Return what an earlier run has judged, and what it saw does not gainsay."""
        failing = {each.test: each for each in self.result.failing}
        settled = {}
        for test, kept in self._kept.items():
            judged = kept.judged
            is_broken = judged.verdict is Verdict.BROKEN
            if test in failing and is_broken and failing[test].is_flaky:
                continue
            suspicions = about(judged, self.result.evidence)
            decided = kept.decided(suspicions)
            carrier = decided.first or next(iter(suspicions), None)
            if judged.verdict is Verdict.CROSS_PROCESS:
                carrier = met_beside(judged, self.result.evidence)
            found = Finding(judged, carrier, decided, kept.replay, kept.carried)
            self.result.findings[test] = found
            self._progress.finding(judged)
            settled[test] = judged
        return settled

    def _observed(self) -> Iterator[Observed]:
        collided = self.result.collided.keys()
        for run in self.result.runs:
            for each in run.observed():
                yield replace(each, failed=each.failed - collided)
        # Short, so where both show a test this is what is searched.
        yield from self._traced

    def _found(self, judged: Judged) -> None:
        if judged.verdict is Verdict.CROSS_PROCESS:
            if self._beside is not None:
                met = self._beside.found.get(judged.test, ())
                judged = with_neighbours(judged, met)
            finding = Finding(judged, met_beside(judged, self.result.evidence))
        else:
            finding = with_carrier(
                judged,
                self.result.evidence,
                self._run,
                self._folder if self._can_look else None,
                self._sections,
                self.result.findings.get(judged.test),
            )
        self.result.findings[judged.test] = finding
        self._note(KeptFinding.of(finding))
        self._progress.finding(judged)

    def _note(self, what: Run | KeptFinding) -> None:
        """Have it known to one that resumes this run."""
        if self._file is not None:
            with suppress(OSError):
                self._file.add(what)

    def _replay(self) -> None:
        """Look for a command for each finding: only what fails once more is advised."""
        wanted = {
            each.test: Wanted(
                each.test, each.failing_order, hangs=each.message.startswith(NO_END)
            )
            for each in _one_of_each_first(self.result.findings.values())
            if each.verdict not in {Verdict.NON_DETERMINISTIC, Verdict.CROSS_PROCESS}
            and self.result.findings[each.test].replay is None
        }
        if not wanted:
            return
        self._progress.step("Running each finding once more in a cold process…")
        replayer = Replayer(
            self._runner,
            self._request.labels,
            self._folder,
            self.result.cache,
            self._isolating,
        )
        found = replayer.commands(wanted.values(), min(SECONDS, self._limit.left))
        for test, each in wanted.items():
            finding = self.result.findings[test]
            if replay := found.get(each):
                finding = replace(finding, replay=replay)
                self.result.findings[test] = finding
                self._note(KeptFinding.of(finding))
        if replayer.is_over:
            self.result.remarks.append(
                "Not every finding was run again in a cold process: the time for that "
                "was over. Those that were not have no command."
            )


def _one_of_each_first(findings: Iterable[Finding]) -> list[Judged]:
    """Return one of each cause, then the others: there may be no time for all.

    What is broken comes last, as it is seen without us too.
    """
    known: Counter[tuple[object, ...]] = Counter()
    ranked = []
    for judged in (each.judged for each in findings):
        cause = judged.verdict, judged.after or judged.test
        ranked.append((judged.verdict is Verdict.BROKEN, known[cause], judged))
        known[cause] += 1
    return [judged for *_, judged in sorted(ranked, key=lambda each: each[:2])]
