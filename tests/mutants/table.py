"""What was found, for people to read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from tests.mutants.levels import FAST, LEVELS
from tests.mutants.results import Result, share

__all__ = ["GOAL", "left_out", "lines", "progress"]

GOAL = 0.95
WIDTH = 100


def left_out(why: Mapping[str, str]) -> Iterator[str]:
    """Yield a line for each file of tests that fail without a mutant."""
    failed = [test for test, outcome in why.items() if outcome == "failed"]
    for file, number in Counter(test.partition("::")[0] for test in failed).items():
        yield f"  {file}: {number} fail without a mutant"


def progress(result: Result, number: int, total: int) -> str:
    """Return a line on one mutant."""
    level = result.level or "none"
    what = [result.how] if result.how not in {"", "failed"} else []
    if result.test:
        what.append(result.test)
    if result.level is None:
        what += [f"{level}: {tried}" for level, tried in result.tried.items()]
    if result.unsteady:
        what.append(f"unsteady: {', '.join(result.unsteady)}")
    head = f"[{number:{len(str(total))}}/{total}] {result.id}"
    return f"{head:<58} {level:<10} {result.seconds:6.1f} s  {'; '.join(what)}"


def lines(results: Sequence[Result], levels: Sequence[str]) -> Iterator[str]:
    """Yield a row for each package, and the mutants that the fast levels miss."""
    columns = [*levels, "none"]
    yield f"{'package':<12}{'mutants':>10}" + "".join(f"{c:>12}" for c in columns)
    packages = sorted({each.package for each in results})
    for package in packages:
        yield _row(package, [r for r in results if r.package == package], columns)
    yield _row("all", results, columns)
    missed = [each for each in results if each.level not in FAST]
    if missed:
        yield ""
        yield "Not killed by unit and system tests:"
    for each in missed:
        yield f"  {each.place}  {each.id}  {each.level or 'none'}"
        tried = "; ".join(f"{level}: {text}" for level, text in each.tried.items())
        yield f"    - {_cut(each.before)}"
        yield f"    + {_cut(each.after)}"
        yield f"    {tried}"
    yield ""
    yield _verdict(results)


def _verdict(results: Sequence[Result]) -> str:
    least, most = share(results, LEVELS)
    text = "Unit and system tests kill {} of what all levels kill"
    untried = [
        level for level in LEVELS if any(not each.is_known([level]) for each in results)
    ]
    if not untried:
        return f"{text.format(f'{least:.1%}')}; {GOAL:.0%} is asked for."
    between = f"{least:.1%} to {most:.1%}"
    return f"{text.format(between)}: {' and '.join(untried)} not tried."


def _row(name: str, results: Sequence[Result], columns: Sequence[str]) -> str:
    counts = Counter(each.level or "none" for each in results)
    return f"{name:<12}{len(results):>10}" + "".join(
        f"{counts[column]:>12}" for column in columns
    )


def _cut(text: str) -> str:
    return text if len(text) <= WIDTH else f"{text[:WIDTH]}…"
