"""What was seen already: who ran before a test that failed, and one that passed. Pure.

It costs nothing to look there before anything is run again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = ["History", "Observed", "between", "suspected"]

Order = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Observed:
    """What one process was seen to run: its tests as they really started.

    ``neighbours`` are the tests that other processes ran at the same time.
    """

    order: Order
    failed: frozenset[str]
    passed: frozenset[str]
    neighbours: Order = ()

    def before(self, test: str) -> Order:
        """Return what ran before a test ran first."""
        return self.order[: self.order.index(test)]


class History:
    """All that was observed, by test."""

    def __init__(self, observed: Iterable[Observed]) -> None:
        self._observed = [each for each in observed if each.order]
        self.tests = tuple(
            dict.fromkeys(
                test
                for each in self._observed
                for test in each.order
                if test in each.failed
            )
        )
        """Those that failed at least once, as they were seen."""

    def failing(self, test: str) -> list[Observed]:
        """Return where it failed: best to run again first."""
        return self._sorted(
            test, (each for each in self._observed if test in each.failed)
        )

    def passing(self, test: str) -> list[Observed]:
        """Return where it passed: best to run again first."""
        return self._sorted(
            test, (each for each in self._observed if test in each.passed)
        )

    def _sorted(self, test: str, observed: Iterable[Observed]) -> list[Observed]:
        return sorted(
            (each for each in observed if test in each.order),
            key=lambda each: (bool(each.neighbours), each.order.index(test)),
        )


def suspected(
    test: str, changed: Sequence[Observed], unchanged: Sequence[Observed]
) -> Order:
    """Return who ran before the test in every changed order and in no unchanged one.

    In the sequence of the first order. It may be nobody: where somebody cleaned up in
    between, or there are several, each enough.
    """
    first, *others = (each.before(test) for each in changed)
    always = set(first).intersection(*others)
    harmless = set().union(*(each.before(test) for each in unchanged))
    return tuple(dict.fromkeys(each for each in first if each in always - harmless))


def between(
    test: str,
    polluters: Iterable[str],
    failing: Sequence[Observed],
    passing: Sequence[Observed],
) -> Order:
    """Return who may have cleaned up: stood after a polluter when the test passed.

    Whoever stood there when it failed has not.
    """
    known = {*polluters, test}
    failed = {each for one in failing for each in _behind(test, known, one)}
    found = (each for one in passing for each in _behind(test, known, one))
    return tuple(dict.fromkeys(each for each in found if each not in failed | known))


def _behind(test: str, polluters: set[str], observed: Observed) -> Order:
    """Return who stood between the last polluter and the test."""
    before = observed.before(test)
    places = [place for place, each in enumerate(before) if each in polluters]
    return before[places[-1] + 1 :] if places else ()
