"""What a terminal says while an audit or a stress run goes on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.status import Status
from rich.text import Text

from ci_cache_isolation.judging.judged import Judged
from ci_cache_isolation.report.words import counted, printable
from ci_cache_isolation.stress.results import Cache, End, Run

__all__ = ["ProgressTerminal"]


class ProgressTerminal:
    """Says things as they become known; ids reach the terminal as text only."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status: Status | None = None
        self._failed: set[str] = set()
        self._judged: set[str] = set()

    def begin_audit(
        self, runner: str, processes: int, recorded: Path | None = None
    ) -> None:
        """Say what is going to be run, or where it was recorded."""
        what = ": one ordinary run"
        if processes > 1:
            what += f", over {processes} workers"
        what += ", caches isolated."
        if recorded is not None:
            what = f" of what was recorded in {recorded}."
        self._say(f"Audit with {runner}{what}", style="bold")
        self._show("Running the tests…" if recorded is None else "Reading…")

    def begin_stress(
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
        """Show that a test was judged: where it can't be shown, say each verdict."""
        text = f"{judged.verdict}: {printable(judged.test)}"
        if not self._console.is_terminal and text not in self._judged:
            self._say(f"  {text}")
        self._judged.add(text)
        self._show(text)

    def close(self) -> None:
        """Show no status any more."""
        if self._status is not None:
            self._status.stop()
            self._status = None

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
