"""A mutant is tried on each level in turn, until a test notices it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from tests.mutants.mutant import Mutant
from tests.mutants.picking import Picked, Picker
from tests.mutants.processes import TIMED_OUT
from tests.mutants.results import NO_TESTS, Result
from tests.mutants.slots import Slot

__all__ = ["Trial"]

NOTHING_RAN = 5
FACTOR = 5
"""How many times as long as the tests took a run of them may take."""
CERTAIN = "unit"
"""The level whose tests are not run once more without the mutant if they fail."""


@dataclass(frozen=True, slots=True)
class Trial:
    """How mutants are tried: with whose tests, and how long at least in seconds."""

    pickers: Mapping[str, Picker]
    patience: float

    def try_out(self, mutant: Mutant, result: Result, slot: Slot) -> Result:
        """Return the result with all that the levels not tried yet make of it."""
        begun = time.monotonic()
        result = replace(
            result, tried=dict(result.tried), unsteady=list(result.unsteady)
        )
        for level, picker in self.pickers.items():
            if result.level is None and level not in result.tried:
                self._try_on(level, picker, mutant, result, slot)
        result.seconds = round(result.seconds + time.monotonic() - begun, 1)
        return result

    def _try_on(
        self, level: str, picker: Picker, mutant: Mutant, result: Result, slot: Slot
    ) -> None:
        picked = picker.pick(mutant, result.unsteady)
        result.tried[level] = _said(picked)
        while picked.tests:
            with slot.changed(mutant):
                code, report = slot.run(
                    ["-x", *picked.tests],
                    seconds=max(self.patience, FACTOR * picked.seconds),
                )
            failed = report.failed
            if code == TIMED_OUT:
                result.level, result.how = level, "timeout"
                result.test = report.running
            elif failed:
                if level != CERTAIN and not self._passes(failed[0], slot):
                    result.unsteady.append(failed[0])
                    rest = picked.tests[picked.tests.index(failed[0]) + 1 :]
                    picked = replace(picked, tests=rest)
                    continue
                result.level, result.how, result.test = level, "failed", failed[0]
            elif code not in {0, NOTHING_RAN}:
                result.level, result.how = level, f"pytest ends with {code}"
                result.test = report.running
            return

    def _passes(self, test: str, slot: Slot) -> bool:
        code, _ = slot.run([test], seconds=self.patience * FACTOR)
        return code == 0


def _said(picked: Picked) -> str:
    if not picked.tests:
        return NO_TESTS
    word = "test" if len(picked.tests) == 1 else "tests"
    more = f" of {len(picked.tests) + picked.left_out}" if picked.left_out else ""
    return f"{len(picked.tests)}{more} {word}"
