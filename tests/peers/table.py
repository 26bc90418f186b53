"""What was found, for people to read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from tests.peers.comparing import Comparison
from tests.peers.results import Outcome, Run

__all__ = ["lines", "verdict"]

HEAD = ("suite", "tests", "passed", "skipped", "failed", "seconds", "isolated", "")
NOT_EXPECTED = "NOT EXPECTED"
REASON_WIDTH = 160


def lines(
    comparisons: Sequence[Comparison], versions: Mapping[str, str]
) -> Iterator[str]:
    """Yield a row a suite, numbers without isolation, then what is behind them."""
    yield ", ".join(f"{name} {version}" for name, version in versions.items())
    yield ""
    rows = [HEAD, *(_row(each) for each in comparisons)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *numbers, last in rows:
        cells = [cell.rjust(width) for cell, width in zip(numbers, widths[1:])]  # noqa: B905 - without the last
        yield "  ".join([first.ljust(widths[0]), *cells, last]).rstrip()
    yield from _details(comparisons)


def verdict(comparison: Comparison) -> str:
    """Say in a few words what isolation changes."""
    parts = {
        "not expected": comparison.unexpected,
        "expected and gone": comparison.gone,
        "as expected": comparison.expected,
        "unstable without isolation": comparison.unstable,
        "unsteady with isolation": comparison.unsteady,
    }
    said = [f"{len(found)} {words}" for words, found in parts.items() if found]
    return ", ".join(said) or "no difference"


def _row(comparison: Comparison) -> tuple[str, ...]:
    first = comparison.without[0]
    counts = Counter(result.outcome for result in first.results.values())
    return (
        comparison.suite,
        str(len(first.results)),
        *(str(counts[each]) for each in (Outcome.PASSED, Outcome.SKIPPED)),
        str(counts[Outcome.FAILED]),
        _mean_seconds(comparison.without),
        _mean_seconds(comparison.isolated),
        verdict(comparison),
    )


def _details(comparisons: Iterable[Comparison]) -> Iterator[str]:
    """Yield what is said of each test, once for all suites that have it in common."""
    said: dict[str, dict[str, list[str]]] = {}
    reasons: dict[str, str] = {}
    for comparison in comparisons:
        first = comparison.without[0].results
        failed = [
            test for test, each in first.items() if each.outcome is Outcome.FAILED
        ]
        reasons |= {str(each): each.reason for each in comparison.unexpected}
        groups: dict[str, Iterable[object]] = {
            NOT_EXPECTED: comparison.unexpected,
            "EXPECTED AND GONE": (each.test for each in comparison.gone),
            "as expected": comparison.expected,
            "unstable without isolation": comparison.unstable,
            "unsteady with isolation, not without": comparison.unsteady,
            "failed without isolation": failed,
        }
        for title, found in groups.items():
            for each in found:
                suites = said.setdefault(title, {}).setdefault(str(each), [])
                suites.append(comparison.suite)
    for title, tests in said.items():
        yield ""
        yield f"{title}:"
        for test, suites in tests.items():
            yield f"  {test}"
            if title == NOT_EXPECTED:
                yield f"    {_shortened(reasons[test])}"
            yield f"    in {', '.join(suites)}"


def _mean_seconds(runs: Sequence[Run]) -> str:
    return f"{sum(run.seconds for run in runs) / len(runs):.1f}"


def _shortened(reason: str) -> str:
    line = " ".join(reason.split())
    return line if len(line) <= REASON_WIDTH else f"{line[:REASON_WIDTH]}…"
