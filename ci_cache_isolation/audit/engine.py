"""The audit: one ordinary run that is recorded, its conflicts, and their proof."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path

from ci_cache_isolation.audit.proving import Proving
from ci_cache_isolation.audit.result import AuditRequest, AuditResult
from ci_cache_isolation.errors import IsolationError
from ci_cache_isolation.evidence.conflicts import audited
from ci_cache_isolation.evidence.hashing import variables
from ci_cache_isolation.evidence.notes import read
from ci_cache_isolation.isolation.clocks import steady
from ci_cache_isolation.isolation.environment import AUDIT_VARIABLE, ENABLED_VARIABLE
from ci_cache_isolation.running.events import RECORD_VARIABLE, WHOLE_VARIABLE
from ci_cache_isolation.running.events import read as read_record
from ci_cache_isolation.running.forks import ForkClient, ForkServerError
from ci_cache_isolation.running.jobs import SCOPE_VARIABLE
from ci_cache_isolation.running.limits import TimeLimit
from ci_cache_isolation.running.order_file import Cache
from ci_cache_isolation.running.output import (
    cause_in,
    counted,
    interrupted,
    shown_path,
)
from ci_cache_isolation.running.private_files import made
from ci_cache_isolation.running.processes import Processes
from ci_cache_isolation.running.replaying import SECONDS as REPLAYING
from ci_cache_isolation.running.replaying import Replayer, Wanted
from ci_cache_isolation.running.runners import Runner

__all__ = [
    "Audit",
    "CannotAuditError",
    "NothingAuditedError",
]

_NOTES = "notes"
_LOG = "suite.log"
_RECORD = "suite.jsonl"
_AT_LEAST_SECONDS = 10.0
_FOR_REPLAYS = 0.2
"""The part of the time that is kept for commands, if that is not too much."""
_UNTESTED = (
    "Conflicts of {tests} were not put to the test: the time set with --minutes, "
    "{minutes:g}, was over. Give it more, or fewer tests."
)
_LEFT_OUT = (
    "Not put to the test, since too many tests use the same entries: {conflicts}. "
    "Audit a part of the suite, by labels, to have more judged."
)
_NOT_REPLAYED = (
    "Not every finding was run again in a cold process: the time for that was over. "
    "One of each cause came first."
)
_NOT_RECORDED = (
    "{folder} holds no notes of any test, so there is nothing to audit. Put "
    "CI_CACHE_ISOLATION_AUDIT={folder} in front of your test command, and run it with "
    "isolation on."
)
_UNKNOWN = (
    "Recorded were {tests} that {runner} does not find now, such as {first}: they "
    "could not be put to the test. Run this where they were recorded, with the same "
    "labels and --runner."
)


class CannotAuditError(IsolationError):
    """The suite can't be run, so there is nothing to read."""

    slug = "cannot-audit"


class NothingAuditedError(IsolationError):
    """The run had no tests."""

    slug = "nothing-audited"


class Audit:
    """One audit of a project. ``on_step`` is told what is going on, in words."""

    def __init__(
        self,
        runner: Runner,
        request: AuditRequest,
        folder: Path,
        on_step: Callable[[str], None],
    ) -> None:
        self._runner = runner
        self._request = request
        self._folder = folder.absolute()
        self._say = on_step
        self._processes = Processes()
        self._isolating: Sequence[str] | None = ()
        self._notes = request.recorded or self._folder / _NOTES
        self._hashing = variables(hashes_keys=request.hashes_keys)
        self.result = AuditResult(runner.name, request.processes, runner.settings())

    def run(self) -> AuditResult:
        """Audit the suite; an interrupt keeps what is known until then."""
        try:
            if self._request.recorded is None:
                self._run_suite()
            self._read()
            audited = self.result.audited
            if self._request.confirms and (audited.suspects or audited.common):
                self._confirm()
            self.result.is_confirmed = self._request.confirms
        except ForkServerError as error:
            # What was read is known all the same.
            self.result.failure = str(error)
        except KeyboardInterrupt:
            self.result.is_interrupted = True
        return self.result

    def _run_suite(self) -> None:
        processes = self._request.processes
        command = self._runner.command(self._request.labels, processes)
        environment = {
            **os.environ,
            ENABLED_VARIABLE: "on",
            SCOPE_VARIABLE: "test",
            AUDIT_VARIABLE: str(self._notes),
            RECORD_VARIABLE: str(self._folder / _RECORD),
            WHOLE_VARIABLE: "on",
            **self._hashing,
        }
        begun = time.monotonic()
        log = self._folder / _LOG
        try:
            self._exit_code = self._processes.run(
                command, environment, self._runner.folder, log
            )
        except KeyboardInterrupt:
            # What has ended until then is recorded.
            self.result.audited = audited(read(self._notes))
            self.result.remarks += interrupted(self._under_way())
            raise
        finally:
            self.result.seconds = time.monotonic() - begun
            # The run knows better: manage.py may choose them.
            if used := read_record(self._folder / _RECORD).settings:
                self.result.settings = used
        if self._exit_code:
            self.result.failed = self._runner.failed_in(_text(log))

    def _under_way(self) -> dict[str, float]:
        """Return the tests that the ordinary run was at, and for how many seconds."""
        begun = read_record(self._folder / _RECORD).under_way
        return {test: steady() - at for test, at in begun.items()}

    def _read(self) -> None:
        self.result.audited = audited(read(self._notes))
        tests = self.result.audited.tests
        if self._request.recorded is not None:
            if not tests:
                raise NothingAuditedError(_NOT_RECORDED.format(folder=self._notes))
            return
        log = self._folder / _LOG
        if reasons := read_record(self._folder / _RECORD).not_loaded:
            found = ", ".join(
                f"{name} ({reason})" if reason else name
                for name, reason in reasons.items()
            )
            raise CannotAuditError(
                f"These can't be imported: {found}. A suite that is not whole would be "
                "judged without them. Fix them, or select others; all that was printed "
                f"is in {shown_path(log)}."
            )
        if tests:
            return
        if self._exit_code and not self._runner.found_no_tests(self._exit_code):
            found = cause_in(log) or f"exit code {self._exit_code}"
            if failed := self.result.failed:
                # A module that pytest can't import keeps all others from being run.
                found = f"{', '.join(failed)}: {found}"
            raise CannotAuditError(
                f"The suite can't be run: {found}. What its tests do to caches is read "
                f"off one ordinary run. All it printed is in {shown_path(log)}."
            )
        raise NothingAuditedError(
            "The runner found no tests, so there is nothing to audit. "
            "Select others, or leave the labels out."
        )

    def _confirm(self) -> None:
        suspects = self.result.audited.suspects
        if left_out := self.result.audited.left_out:
            self.result.remarks.append(
                _LEFT_OUT.format(conflicts=counted(left_out, "conflict"))
            )
        pairs = sum(map(len, suspects.values()))
        self._say(
            f"Conflicts: {len(self.result.audited.conflicts)}. Tests that may meet "
            f"what another leaves: {len(suspects)}. Putting "
            f"{counted(pairs, 'pair')} to the test…"
        )
        begun = time.monotonic()
        whole = TimeLimit(60 * self._request.minutes)
        processes = os.cpu_count() or 1
        with ForkClient(
            self._runner,
            self._request.labels,
            self._folder,
            processes=processes,
            seconds=max(_AT_LEAST_SECONDS, 3 * self._seconds),
            # A hash of a key is the same as it was in the ordinary run.
            environment=self._hashing,
        ) as server:
            if server.remark:
                self.result.remarks.append(server.remark)
            self._isolating = server.isolating
            # Commands have to be run once more, too.
            limit = whole.but(min(REPLAYING, _FOR_REPLAYS * whole.left))
            known = frozenset(server.tests)
            self._compare(known)
            proving = Proving(self.result, self._request, server, limit, self._say)
            try:
                proving.run(processes, read(self._notes))
            except KeyboardInterrupt:
                server.stop()
                self.result.remarks += interrupted(server.interrupted)
                raise
            finally:
                self.result.confirmed_seconds = time.monotonic() - begun
        if self.result.untested:
            self.result.remarks.append(
                _UNTESTED.format(
                    tests=counted(len(self.result.untested), "test"),
                    minutes=self._request.minutes,
                )
            )
        # Those that are gone have their own remark.
        self.result.untested |= dict.fromkeys(
            each for each in suspects if each not in known
        )
        if self.result.findings:
            self._show_cold(min(REPLAYING, whole.left))

    @property
    def _seconds(self) -> float:
        """What the ordinary run took, or its tests where another command ran them."""
        return self.result.seconds or sum(self.result.audited.seconds.values())

    def _compare(self, known: Collection[str]) -> None:
        """Say what was recorded of tests that are no longer there."""
        tests = self.result.audited.tests
        unknown = [test for test in tests if test not in known]
        if self._request.recorded is not None and unknown:
            text = _UNKNOWN.format(
                tests=counted(len(unknown), "test"),
                first=unknown[0],
                runner=self._runner.name,
            )
            if len(unknown) == len(tests):
                raise CannotAuditError(text)
            self.result.remarks.append(text)

    def _show_cold(self, seconds: float) -> None:
        """Look for a command for each finding, as far as time allows."""
        findings = self.result.findings
        self._say(f"Confirmed: {len(findings)}. Running them in cold processes…")
        # One of each line that stores, so of each cause, first: time may be over early.
        lines = {each.carrier.leaver.site.at: each.test for each in reversed(findings)}
        first = set(lines.values())
        sequence = sorted(findings, key=lambda each: each.test not in first)
        orders = self._folder / "orders"
        made(orders)
        replayer = Replayer(
            self._runner,
            self._request.labels,
            orders,
            Cache.SHARED,
            self._isolating,
        )
        wanted = {
            each.test: Wanted(each.test, each.judged.failing_order) for each in sequence
        }
        commands = replayer.commands(wanted.values(), seconds)
        self.result.findings = [
            replace(each, replay=commands.get(wanted[each.test])) for each in findings
        ]
        if replayer.is_over:
            self.result.remarks.append(_NOT_REPLAYED)


def _text(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")
