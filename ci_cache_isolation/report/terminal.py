"""The stress run on a terminal: a line an order, then what is the matter with whom."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console
from rich.status import Status
from rich.text import Text

from ci_cache_isolation.audit.proofs import TIMES, Verdict
from ci_cache_isolation.report.counts import in_order, never_in_order
from ci_cache_isolation.report.words import (
    TITLES,
    counted,
    place,
    printable,
    remembered,
)
from ci_cache_isolation.stress.chance import failure_rate_bound
from ci_cache_isolation.stress.judged import Judged
from ci_cache_isolation.stress.results import (
    Cache,
    End,
    Failing,
    Finding,
    Run,
    StressResult,
)

__all__ = ["CONFIDENCE", "StressTerminal"]

CONFIDENCE = 0.95
SHOWN_TESTS = 25
SHOWN_GROUPS = 5
_ENOUGH_RUNS = 10
"""Of fewer runs without a failure a bound says nothing that anybody wants to hear."""

_BY_OTHERS = frozenset(Verdict) - {Verdict.BROKEN, Verdict.NON_DETERMINISTIC}
"""What other tests do, or the same test the time before."""


class StressTerminal:
    """Says things as they become known; ids reach the terminal as text only."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status: Status | None = None
        self._failed: set[str] = set()

    def begin(
        self,
        runner: str,
        cache: Cache,
        seed: int,
        processes: int,
        known: Sequence[Run] = (),
    ) -> None:
        """Say what is going to be run, and how many runs are known already."""
        caches = (
            "each test in cache sections of its own"
            if cache is Cache.ISOLATED
            else "caches shared by all tests (isolation is off)"
        )
        self._say(f"Stress with {runner}, {caches}.", style="bold")
        self._say(f"Seed {seed}; up to {counted(processes, 'order')} at a time.")
        if known:
            text = counted(len(known), "run is", "runs are")
            self._say(f"Resuming: {text} known already.")
            self._failed.update(test for run in known for test in run.failed)
        self._show("Setting up…")

    def run(self, run: Run, done: int, planned: int | None) -> None:
        """Say how one run ended."""
        counts = f"{len(run.passed)} passed"
        if run.skipped:
            counts += f", {len(run.skipped)} skipped"
        if run.failed:
            counts = f"{len(run.failed)} failed, {counts}"
        if run.end is not End.FINISHED:
            counts += f"; {run.end}"
            counts += f" in {printable(run.running)}" if run.running else ""
        is_good = not run.failed and run.end is End.FINISHED
        line = Text(
            "  ok    " if is_good else "  FAIL  ", "green" if is_good else "red"
        )
        line.append(f"{run.step.name:<24} {counts:<28} {run.seconds:6.1f} s", "default")
        self._console.print(line, soft_wrap=True)
        self._failed.update(run.failed)
        orders = counted(planned or done, "order")
        orders = f"{done} of {orders}" if planned else orders
        self._show(f"{orders}, {counted(len(self._failed), 'test')} failed so far")

    def step(self, text: str) -> None:
        """Say what begins."""
        self._say(text)
        self._show(text)

    def finding(self, judged: Judged) -> None:
        """Show that a test was judged."""
        self._show(f"{judged.verdict}: {printable(judged.test)}")

    def end(self, result: StressResult, report: Path | None, resume: str = "") -> None:
        """Say what all runs come to, and what to do about it.

        ``resume`` is the command that goes on where this run was interrupted.
        """
        self.quiet()
        for remark in result.remarks:
            self._say(printable(remark))
        if result.is_interrupted:
            self._say(
                "Interrupted: what follows is what was known until then.",
                style="yellow",
            )
        cards = _by_cause(result.findings.values())
        for findings in cards[:SHOWN_TESTS]:
            self._card(findings)
        if len(cards) > SHOWN_TESTS:
            self._say(f"And {len(cards) - SHOWN_TESTS} more, see the report.")
        self._not_judged(
            [each for each in result.failing if each.test not in result.findings]
        )
        self._sum(result)
        if report is not None:
            self._say(f"Report: {report}")
        if result.is_interrupted and resume:
            self._say(f"To go on from here: {resume}")

    def quiet(self) -> None:
        """Show no status any more."""
        if self._status is not None:
            self._status.stop()
            self._status = None

    def _card(self, findings: Sequence[Finding]) -> None:
        first = findings[0]
        judged = first.judged
        self._console.print()
        title = TITLES[judged.verdict]
        for each in findings[:SHOWN_TESTS]:
            self._say(f"{each.judged.test}: {title}", "bold red")
        self._more(len(findings), SHOWN_TESTS)
        self._cause(first)
        self._say(f"  {_proof(judged)}")
        if judged.message:
            self._say(f"  {judged.message}")
        if judged.cleaners:
            self._say(f"  hidden when one of these runs between: {judged.cleaners[0]}")
            for each_cleaner in judged.cleaners[1:SHOWN_GROUPS]:
                self._say(f"    {each_cleaner}")
        replay = next((each.replay for each in findings if each.replay), None)
        if replay:
            self._say("  See it fail, as it just did in a cold process:")
            self._say(f"    {replay}")

    def _cause(self, finding: Finding) -> None:
        judged, suspicion = finding.judged, finding.suspicion
        if judged.verdict in {Verdict.VICTIM, Verdict.BRITTLE}:
            word = "fails after" if judged.verdict is Verdict.VICTIM else "passes after"
            if not judged.after:
                self._say(
                    f"  {word} {counted(len(judged.order) - 1, 'test')} in an order "
                    "that shows it every time; none of them does it alone"
                )
            for group in judged.after[:SHOWN_GROUPS]:
                self._say(f"  {word} {' together with '.join(group)}")
            self._more(len(judged.after), SHOWN_GROUPS)
        if judged.verdict is Verdict.CROSS_PROCESS:
            for group in judged.after[:SHOWN_GROUPS]:
                self._say(f"  fails while another process runs {group[0]}")
        if suspicion is not None:
            conflict, leaver, looker = suspicion
            self._say(f"  {remembered(conflict)}")
            how = leaver.left.how.value
            self._say(f"    {how} at {place(leaver.site)}")
            self._say(f"    looked at {place(looker.site)}")

    def _not_judged(self, failing: Sequence[Failing]) -> None:
        if not failing:
            return
        self._console.print()
        tests = counted(len(failing), "test")
        verb = "was" if len(failing) == 1 else "were"
        self._say(f"{tests} failed and {verb} not judged:", "bold red")
        for each in failing[:SHOWN_TESTS]:
            runs = counted(len(each.failed_in) + len(each.passed_in), "run")
            names = ", ".join(run.step.name for run in each.failed_in[:3])
            self._say(f"  {each.test}")
            self._say(f"    failed in {len(each.failed_in)} of {runs}: {names}")
            for run in each.failed_in[:1]:
                if message := run.messages.get(each.test):
                    self._say(f"    {message}")
        self._more(len(failing), SHOWN_TESTS)

    def _sum(self, result: StressResult) -> None:
        runs = [run for run in result.runs if run.end is End.FINISHED]
        if not runs:
            return
        cut_short = len(result.runs) - len(runs)
        self._console.print()
        pairs = result.pairs.count()
        text = (
            f"{counted(len(result.tests), 'test')}, {counted(len(result.runs), 'run')}"
        )
        if cut_short:
            text += f", {cut_short} of them cut short"
        text += "."
        if pairs.total:
            text += f" {in_order(pairs.covered, pairs.reachable, pairs.adjacent)}"
            if pairs.unreachable:
                text += never_in_order(pairs.unreachable, result.runner)
            text += "."
        self._say(text)
        self._verdicts(result)
        if not cut_short and not result.failing:
            self._clean(result, len(runs))

    def _verdicts(self, result: StressResult) -> None:
        findings = [each.judged for each in result.findings.values()]
        if not findings:
            return
        counts = [
            counted(number, "victim")
            if verdict is Verdict.VICTIM
            else f"{number} {verdict}"
            for verdict in Verdict
            if (number := sum(each.verdict is verdict for each in findings))
        ]
        self._say(f"Judged: {', '.join(counts)}.", "bold red")
        dependent = [each for each in findings if each.verdict in _BY_OTHERS]
        if not dependent:
            return
        whom = counted(len(dependent), "test")
        if result.cache is Cache.ISOLATED:
            self._say(
                f"Other tests decide about {whom}. Caches were isolated, so no cache "
                "carries that: look at module globals, memoised functions, settings, "
                "files, the database."
            )
        elif cured := sum(each.isolation_cures is True for each in dependent):
            which = "it" if len(dependent) == 1 else f"{cured} of them"
            they_pass = "the test passes" if cured == 1 else "they pass"
            self._say(
                f"Other tests decide about {whom}. Isolation cures {which}: with it "
                f"{they_pass} in the same order."
            )
        else:
            cures = "does not cure it" if len(dependent) == 1 else "cures none of them"
            self._say(
                f"Other tests decide about {whom}. Isolation {cures}: no cache carries "
                "that."
            )

    def _clean(self, result: StressResult, runs: int) -> None:
        text = "No test failed."
        if result.is_interrupted:
            text = "No test failed until then."
        if runs >= _ENOUGH_RUNS:
            bound = failure_rate_bound(runs, CONFIDENCE)
            text += (
                f" At {CONFIDENCE:.0%} confidence fewer than {bound:.1%} of such runs, "
                "of these kinds and on this machine, fail."
            )
        self._say(text, style="bold green")
        if result.cache is Cache.ISOLATED:
            self._say(
                "Caches were isolated. What fails without that, a cache leak, "
                "shows with --cache shared."
            )

    def _more(self, number: int, shown: int) -> None:
        if number > shown:
            self._say(f"  and {number - shown} more, see the report")

    def _show(self, text: str) -> None:
        """Show what is going on in the last line of a terminal, and nowhere else."""
        if not self._console.is_terminal:
            return
        if self._status is None:
            self._status = self._console.status("")
            self._status.start()
        self._status.update(Text(text))

    def _say(self, text: str, style: str = "") -> None:
        self._console.print(Text(printable(text), style), soft_wrap=True)


def _by_cause(findings: Iterable[Finding]) -> list[list[Finding]]:
    """Put together what the same tests cause, the surest and the largest first."""
    causes: dict[tuple[object, ...], list[Finding]] = {}
    for each in findings:
        judged = each.judged
        cause: tuple[object, ...] = judged.verdict, judged.after
        if not judged.after:
            cause = judged.verdict, judged.test
        causes.setdefault(cause, []).append(each)
    sequence = list(Verdict)
    return sorted(
        causes.values(),
        key=lambda group: (sequence.index(group[0].judged.verdict), -len(group)),
    )


def _proof(judged: Judged) -> str:
    proof, verdict = judged.proof, judged.verdict
    if verdict is Verdict.BROKEN:
        return f"failed alone {proof.alone}/{TIMES}, and in every order"
    if verdict is Verdict.NON_DETERMINISTIC:
        text = f"failed alone {proof.alone}/{TIMES}"
        if judged.replayed is not None:
            text += (
                f"; in the same order again {judged.replayed.failed} of "
                f"{judged.replayed.runs} times: the order does not decide it"
            )
        return text
    text = f"failed alone {proof.alone}/{TIMES}"
    if proof.after is not None:
        word = {
            Verdict.SELF_POLLUTING: "behind itself",
            Verdict.CROSS_PROCESS: "beside others",
        }.get(verdict, "after")
        text += f", {word} {proof.after}/{TIMES}"
    if proof.isolated is not None:
        text += f", isolated {proof.isolated}/{TIMES}"
    if judged.isolation_cures is not None:
        cures = "cures it" if judged.isolation_cures else "does not cure it"
        text += f": isolation {cures}"
    return text
