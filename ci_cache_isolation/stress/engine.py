"""The stress run: orders are observed, failing tests judged, and shown once more."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import takewhile
from pathlib import Path

from ci_cache_isolation.audit.deciding import NOT_TRIED, decide
from ci_cache_isolation.audit.notes import read
from ci_cache_isolation.audit.proofs import TIMES, Proof, Verdict
from ci_cache_isolation.running.forks import ForkServer, ForkServerError
from ci_cache_isolation.running.jobs import NO_END, Forked, Job, Sections
from ci_cache_isolation.running.order_file import Cache
from ci_cache_isolation.running.outcomes import FAILED, PASSED
from ci_cache_isolation.running.replaying import Replayer, Wanted
from ci_cache_isolation.running.runners import Runner
from ci_cache_isolation.stress.beside import Beside, with_neighbours
from ci_cache_isolation.stress.evidence import Evidence
from ci_cache_isolation.stress.executors import Executor, opened
from ci_cache_isolation.stress.history import Observed
from ci_cache_isolation.stress.judged import Judged
from ci_cache_isolation.stress.judging import judge
from ci_cache_isolation.stress.observing import MANY_TIMES, Observing
from ci_cache_isolation.stress.pairs import Pairs
from ci_cache_isolation.stress.request import Progress, Request
from ci_cache_isolation.stress.results import Finding, StressResult, in_sequence
from ci_cache_isolation.stress.run_file import About, Known, suite_name
from ci_cache_isolation.stress.searching import Runs

__all__ = ["Stress"]

JUDGING_MINUTES = 10.0
_JOURNAL = "journal"
_SECONDS = 10.0
"""The least that a run may take when a test is judged."""
_BESIDE = 200
_UNJUDGED = (
    "{count} tests that failed were not judged: the time for that was over, or their "
    "set-up is no test that can be run alone. Give it more with --minutes."
)
_IN_COMMON = (
    "{tests} failed at a file, a folder or a port that is gone or taken. Orders that "
    "run at a time have these in common, so they may be in each other's way: "
    "--processes 1 runs one order at a time."
)
_OF_FILES_OR_PORTS = re.compile(
    r"FileNotFoundError|FileExistsError|OSError: \[Errno \d+\] "
    r"(File exists|Directory not empty|Address already in use)"
)


class Stress:
    """Runs the plan. What is known is in ``result`` at any time, also after Ctrl-C.

    ``known`` is what an earlier run left that this one resumes.
    """

    def __init__(
        self,
        runner: Runner,
        request: Request,
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
        self._sections = Sections(request.cache.value)
        self._beside: Beside | None = None
        self._isolating: Sequence[str] | None = ()
        self._is_recorded = False
        self._run: Runs | None = None

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
                result.pairs = Pairs.of(executor.suite)
                try:
                    self._observe(executor)
                    self._judge(executor)
                except KeyboardInterrupt:
                    # It may have come between two orders, while another one ran.
                    executor.stop()
                    result.remarks += [
                        f"When it was interrupted, {test} had run for {seconds:.1f} s."
                        for test, seconds in executor.interrupted.items()
                    ]
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
        about = About(
            self._request,
            self._runner.name,
            executor.settings,
            suite_name(executor.suite),
        )
        if self._known is not None:
            self._known.check(about)
            for run in self._known.runs:
                self.result.runs.append(run)
                self.result.pairs.add(run.order)
        observing = Observing(
            self._runner,
            self._request,
            self.result,
            self._folder,
            self._progress,
            recording=self._recording,
        )
        observing.run(executor, about)
        self._is_recorded = observing.is_recorded

    def _judge(self, executor: Executor) -> None:
        """Find out what is the matter with each test that failed."""
        number = len(self.result.failing)
        if not number and not self._may_meet(executor):
            return
        if number:
            failed = "1 test failed" if number == 1 else f"{number} tests failed"
            self._progress.step(f"{failed} in some order. Looking for the reasons…")
        self.result.evidence = self._evidence(executor)
        # What is run now is mostly short, and a test that hangs may hang each time.
        own = self.result.runs[0].seconds
        executor.seconds = max(_SECONDS, MANY_TIMES * own)
        until = time.monotonic() + 60 * (self._request.minutes or JUDGING_MINUTES)

        def is_over() -> bool:
            return time.monotonic() > until

        if self._may_meet(executor):
            self._beside = Beside(executor.run, self.result.evidence, is_over)
        at_a_time = self._request.processes

        def run(jobs: Iterable[Job]) -> Iterator[Forked]:
            started = takewhile(lambda _: not is_over(), jobs)
            return executor.run(started, at_a_time)

        self._run = run
        judgement = judge(
            self._observed(),
            [test.id for test in self.result.tests],
            partial(executor.run, at_a_time=at_a_time),
            run_alone=partial(executor.run, at_a_time=1) if at_a_time > 1 else None,
            suspects=self.result.evidence.suspects,
            sections=self._sections,
            is_over=is_over,
            on_finding=self._found,
            run_beside=self._beside,
        )
        if self._beside is not None:
            self._screen(executor, self._beside)
        self.result.unjudged = judgement.unjudged
        if judgement.unjudged:
            count_of = len(judgement.unjudged)
            self.result.remarks.append(_UNJUDGED.format(count=count_of))
        if at_a_time > 1 and (count_of := self._collisions()):
            tests = "1 test" if count_of == 1 else f"{count_of} tests"
            self.result.remarks.append(_IN_COMMON.format(tests=tests))

    def _collisions(self) -> int:
        """Count tests without a steady verdict that failed at a file or a port."""
        steady = {
            test
            for test, found in self.result.findings.items()
            if found.judged.verdict is not Verdict.NON_DETERMINISTIC
        }
        return len(
            {
                test
                for run in self.result.runs
                for test, message in run.messages.items()
                if test not in steady and _OF_FILES_OR_PORTS.match(message)
            }
        )

    def _may_meet(self, executor: Executor) -> bool:
        """Tell whether tests may meet another process here, and should."""
        is_asked = self._request.wishes.split > 1
        is_shared = self._request.cache is Cache.SHARED
        return is_asked and is_shared and isinstance(executor, ForkServer)

    def _screen(self, executor: Executor, beside: Beside) -> None:
        """Look for tests that fail beside others, and only did not happen to."""
        stable = [
            test.id for test in self.result.tests if test.id not in self.result.findings
        ]
        for test in beside.screened(stable):
            alone = sum(
                forked.last == FAILED
                for forked in executor.run(
                    [Job((test,), self._sections) for _ in range(TIMES)], 1
                )
            )
            if not alone:
                self._found(
                    Judged(test, Verdict.CROSS_PROCESS, Proof(alone=0), (test,))
                )

    def _recording(self) -> Job:
        """Return the suite's own order with isolation on and the audit's books open."""
        return Job(
            tuple(test.id for test in self.result.tests),
            Sections.ISOLATED,
            journal=str(self._folder / _JOURNAL),
        )

    def _evidence(self, executor: Executor) -> Evidence:
        """Read what was recorded, now if it was not while orders were run."""
        if not self._is_recorded:
            with suppress(ForkServerError):
                for _ in executor.run([self._recording()]):
                    pass
        return Evidence.drawn(read(self._folder / _JOURNAL))

    def _observed(self) -> Iterator[Observed]:
        for run in self.result.runs:
            yield from Observed.all_of(run)

    def _found(self, judged: Judged) -> None:
        if judged.verdict is Verdict.CROSS_PROCESS:
            if self._beside is not None:
                met = self._beside.found.get(judged.test, ())
                judged = with_neighbours(judged, met)
            finding = Finding(judged, self.result.evidence.beside(judged))
        else:
            finding = self._carried(judged)
        self.result.findings[judged.test] = finding
        self._progress.finding(judged)

    def _carried(self, judged: Judged) -> Finding:
        """Return a finding with what carried it, found by experiment."""
        suspicions = self.result.evidence.about(judged)
        if not suspicions or self._run is None:
            return Finding(judged)
        known = self.result.findings.get(judged.test)
        decided = known.decided if known else NOT_TRIED
        if known is None or known.judged.order != judged.order:
            decided = decide(
                suspicions,
                judged.order,
                FAILED if judged.verdict is Verdict.BRITTLE else PASSED,
                self._run,
                sections=self._sections,
            )
        if decided.is_whole:
            return Finding(judged, decided.first, decided)
        return Finding(judged, suspicions[0], decided)

    def _replay(self) -> None:
        """Look for a command for each finding: only what fails once more is advised."""
        wanted = {
            each.test: Wanted(
                each.test, _failing_order(each), hangs=each.message.startswith(NO_END)
            )
            for each in _one_of_each_first(self.result.findings.values())
            if each.verdict not in {Verdict.NON_DETERMINISTIC, Verdict.CROSS_PROCESS}
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
        found = replayer.commands(wanted.values())
        for test, each in wanted.items():
            finding = self.result.findings[test]
            replay = found.get(each)
            self.result.findings[test] = replace(finding, replay=replay)
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


def _failing_order(judged: Judged) -> tuple[str, ...]:
    """Return the shortest order in which a test is known to fail."""
    if judged.verdict in {Verdict.BRITTLE, Verdict.BROKEN}:
        return (judged.test,)
    return judged.order
