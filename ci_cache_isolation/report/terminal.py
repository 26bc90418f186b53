"""The stress run on a terminal: a line an order, then what it comes to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from ci_cache_isolation.report.document import replay_command
from ci_cache_isolation.stress.chance import CONFIDENCE, failure_rate_bound
from ci_cache_isolation.stress.engine import StressResult
from ci_cache_isolation.stress.results import (
    Cache,
    End,
    Failing,
    Run,
)

__all__ = ["StressTerminal", "counted", "printable"]

SHOWN_RUNS = 4
SHOWN_TESTS = 25


class StressTerminal:
    """Says things as they become known; ids reach the terminal as text only."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def begin(self, runner: str, cache: Cache, seed: int, processes: int) -> None:
        """Say what is going to be run."""
        caches = (
            "each test in cache sections of its own"
            if cache is Cache.ISOLATED
            else "caches shared by all tests (isolation is off)"
        )
        self._say(f"Stress with {runner}, {caches}.", style="bold")
        self._say(f"Seed {seed}; up to {processes} orders at a time.")

    def run(self, run: Run) -> None:
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

    def end(self, result: StressResult, report: Path | None) -> None:
        """Say what all runs come to, and what to do about it."""
        for remark in result.remarks:
            self._say(remark)
        if result.is_interrupted:
            self._say(
                "Interrupted: what follows is what was known until then.",
                style="yellow",
            )
        flaky = [each for each in result.failing if each.is_flaky]
        always = [each for each in result.failing if not each.is_flaky]
        self._flaky(result, flaky)
        self._always(always)
        is_whole = all(run.end is End.FINISHED for run in result.runs)
        self._coverage(result, is_clean=is_whole and not (flaky or always))
        if report is not None:
            self._say(f"Report: {report}")

    def _flaky(self, result: StressResult, flaky: Sequence[Failing]) -> None:
        if not flaky:
            return
        self._console.print()
        self._say(
            f"{counted(len(flaky), 'flaky test')}: failed in some orders, passed in "
            "others.",
            style="bold red",
        )
        for each in flaky[:SHOWN_TESTS]:
            runs = [run.step.name for run in each.failed_in]
            more = (
                f" and {len(runs) - SHOWN_RUNS} more" if len(runs) > SHOWN_RUNS else ""
            )
            total = len(each.failed_in) + len(each.passed_in)
            self._say(f"  {printable(each.test)}", style="bold")
            self._say(
                f"    failed in {len(runs)} of {total} runs: "
                f"{', '.join(runs[:SHOWN_RUNS])}{more}"
            )
        self._more(flaky)
        self._console.print()
        for replay in result.replays:
            if replay.shown:
                self._say(
                    f"See {len(replay.shown)} of them fail, as they just did again:"
                )
                self._say(f"  {replay_command(replay)}")
            for test in sorted(replay.not_shown):
                self._say(
                    f"{printable(test)} passed when {replay.run.step.name} was run "
                    "again: the order alone does not decide it."
                )
        if result.cache is Cache.SHARED:
            self._say(
                "Isolation was off. Run it with --cache isolated: what passes then "
                "failed because of a cache."
            )
        else:
            self._say(
                "Caches in memory were isolated: look at module globals, memoised "
                "functions, settings, files, the database, and caches on a server."
            )

    def _always(self, always: Sequence[Failing]) -> None:
        if not always:
            return
        self._console.print()
        self._say(
            f"{counted(len(always), 'test')} failed in every run: broken, whatever "
            "the order. Mend these first.",
            style="bold red",
        )
        for each in always[:SHOWN_TESTS]:
            self._say(f"  {printable(each.test)}")
        self._more(always)

    def _more(self, tests: Sequence[Failing]) -> None:
        if len(tests) > SHOWN_TESTS:
            self._say(f"  and {len(tests) - SHOWN_TESTS} more, see the report")

    def _coverage(self, result: StressResult, *, is_clean: bool) -> None:
        runs = [run for run in result.runs if run.end is End.FINISHED]
        if not runs:
            return
        self._console.print()
        pairs = result.pairs
        text = f"{counted(len(result.tests), 'test')}, {counted(len(runs), 'run')}."
        if pairs.total:
            possible = pairs.total - (pairs.unreachable or 0)
            text += (
                f" {pairs.covered:,} of {possible:,} ordered pairs of tests were run "
                f"in that order, {pairs.adjacent:,} of them as neighbours"
            )
            if pairs.unreachable:
                text += (
                    f"; {pairs.unreachable:,} more never occur in one process under "
                    f"{result.runner}"
                )
            text += "."
        self._say(text)
        if is_clean:
            bound = failure_rate_bound(len(runs))
            self._say(
                f"No test failed. At {CONFIDENCE:.0%} confidence fewer than "
                f"{bound:.1%} of such runs, of these kinds and on this machine, fail.",
                style="bold green",
            )
            if result.cache is Cache.ISOLATED:
                self._say(
                    "Caches were isolated. What fails without that, a cache leak, "
                    "shows with --cache shared."
                )

    def _say(self, text: str, style: str = "") -> None:
        self._console.print(Text(text, style), soft_wrap=True)


def printable(text: str) -> str:
    """Return text that can do nothing to a terminal: control characters escaped."""
    return "".join(
        character if character.isprintable() else ascii(character)[1:-1]
        for character in text
    )


def counted(number: int, thing: str, things: str = "") -> str:
    """Return a number with what it counts, in the singular or the plural."""
    return f"{number:,} {thing if number == 1 else things or thing + 's'}"
