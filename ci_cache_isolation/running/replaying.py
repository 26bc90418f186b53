"""One command that shows a failure, printed only after it did so in a cold process."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from ci_cache_isolation.isolation.environment import (
    ENABLED_VARIABLE,
    enabled_by_environment,
)
from ci_cache_isolation.running.events import ORDER_VARIABLE, RECORD_VARIABLE, read
from ci_cache_isolation.running.jobs import SCOPE_VARIABLE
from ci_cache_isolation.running.order_file import Cache, OrderFile
from ci_cache_isolation.running.output import shown, shown_path
from ci_cache_isolation.running.processes import TIMED_OUT, Processes
from ci_cache_isolation.running.runners import Runner
from ci_cache_isolation.running.runners.arguments import has_options

__all__ = ["SECONDS", "Replayer", "Wanted"]

SECONDS = 60.0
"""All replays together take no longer, where nothing else is said."""
_FOR_ONE_THAT_HANGS = 20.0
"""Seconds after which a test that had no end in a fork has none here either."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A test that is to fail at the end of an order, or to have no end there."""

    test: str
    order: tuple[str, ...]
    hangs: bool = False


class Replayer:
    """Looks for commands, several at a time, in the folder in which they are run.

    ``orders`` is where the orders of those are kept that the user's own command can't
    show: its runner would sort the tests, or can't run one twice, or would run them on
    the user's own caches. ``isolating`` are the options with which it does not; None
    where there are none.
    """

    def __init__(
        self,
        runner: Runner,
        labels: Sequence[str],
        orders: Path,
        cache: Cache,
        isolating: Sequence[str] | None = (),
    ) -> None:
        self._runner = runner
        self._labels = tuple(labels)
        self._isolating = isolating
        self._orders = orders
        self._cache = cache
        self._processes = Processes()
        self.is_over = False

    def commands(
        self, wanted: Iterable[Wanted], seconds: float = SECONDS
    ) -> dict[Wanted, str]:
        """Return a command for each that one was found for within so many seconds."""
        until = time.monotonic() + seconds
        asked = list(dict.fromkeys(wanted))

        def command(number: int, each: Wanted) -> str | None:
            return self._own(number, each, until) or self._file(number, each, until)

        pool = ThreadPoolExecutor(os.cpu_count())
        try:
            found = list(pool.map(command, count(self._first_number()), asked))
        except BaseException:
            self._processes.end()
            raise
        finally:
            pool.shutdown(cancel_futures=True)
        self.is_over = time.monotonic() > until
        return {each: text for each, text in zip(asked, found, strict=True) if text}

    def _first_number(self) -> int:
        """Return a number after those of the files that another run has left."""
        names = (each.stem.partition("-")[2] for each in self._orders.glob("found-*"))
        return 1 + max((int(each) for each in names if each.isdigit()), default=0)

    def _own(self, number: int, wanted: Wanted, until: float) -> str | None:
        """Return the user's own command if it shows the failure."""
        if (
            self._isolating is None
            or len(set(wanted.order)) < len(wanted.order)
            # It prints nothing to go by.
            or wanted.hangs
        ):
            return None
        labels = (*self._isolating, *self._labels)
        command = self._runner.replay_command(wanted.order, labels)
        if not command:
            return None
        log = self._orders / f"found-{number:03}.own.log"
        given = {}
        if self._cache is Cache.SHARED:
            given = {ENABLED_VARIABLE: "on", SCOPE_VARIABLE: "process"}
        code = self._run(command, given, log, until)
        printed = log.read_text(encoding="utf-8", errors="replace") if code else ""
        if not any(
            _is_or_holds(each, wanted) for each in self._runner.failed_in(printed)
        ):
            return None
        said = enabled_by_environment()
        if said is None or said.value:
            given.pop(ENABLED_VARIABLE, None)
        prefix = "".join(f"{name}={value} " for name, value in given.items())
        return f"{prefix}{shown(command)}"

    def _file(self, number: int, wanted: Wanted, until: float) -> str | None:
        """Return ``cache-isolation replay FILE`` if that shows it."""
        path = (self._orders / f"found-{number:03}.json").absolute()
        order = OrderFile(
            name=f"what {wanted.test} fails after",
            runner=self._runner.name,
            cache=self._cache,
            hash_seed="0",
            labels=self._labels,
            order=wanted.order,
            is_exact=True,
        )
        order.write(path)
        record = path.with_suffix(".jsonl")
        given = {
            ENABLED_VARIABLE: "on",
            SCOPE_VARIABLE: "process" if self._cache is Cache.SHARED else "test",
            ORDER_VARIABLE: str(path),
            RECORD_VARIABLE: str(record),
            "PYTHONHASHSEED": order.hash_seed,
        }
        command = self._runner.command(self._labels, 1)
        if wanted.hangs:
            until = min(until, time.monotonic() + _FOR_ONE_THAT_HANGS)
        code = self._run(command, given, path.with_suffix(".log"), until)
        noted = read(record)
        # It ended in the test, or had no end there: unless only our time was over.
        ended_in = noted.running if wanted.hangs or code != TIMED_OUT else None
        if wanted.test not in {*noted.failed, ended_in}:
            path.unlink()
            return None
        # No file says by itself what options are to be used.
        options = ["--", *self._labels] if has_options(self._labels) else []
        return shown(["cache-isolation", "replay", shown_path(path), *options])

    def _run(
        self,
        command: Sequence[str],
        given: Mapping[str, str],
        log: Path,
        until: float,
    ) -> int:
        seconds = until - time.monotonic()
        if seconds <= 0:
            return 0
        environment = {**os.environ, **given}
        folder = self._runner.folder
        return self._processes.run(command, environment, folder, log, seconds=seconds)


def _is_or_holds(failed: str, wanted: Wanted) -> bool:
    """Return whether what failed is the test, or the class whose set-up it has."""
    return failed == wanted.test or wanted.test.startswith(f"{failed}.")
