"""Which tests are run with a mutant: those that run its line, the most specific first.

Isolation is on in the tests' own process, so some lines run in each of them. What
counts is how much of the rare lines that a test runs is in the mutant's module.
"""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import PurePath

from tests.mutants.mutant import PACKAGE, Mutant
from tests.mutants.reach import Reach

__all__ = ["Picked", "Picker", "imports"]


@dataclass(frozen=True, slots=True)
class Picked:
    """Tests in the order in which they are run, and how many more there are."""

    tests: tuple[str, ...]
    seconds: float
    left_out: int = 0


class Picker:
    """Picks tests of one level; ``imported_by`` has the importers of each path."""

    def __init__(
        self, reach: Reach, imported_by: Mapping[str, Iterable[str]], most: int
    ) -> None:
        self._tests = reach.tests
        self._imported_by = imported_by
        self._most = most
        often = Counter(
            (path, line)
            for each in self._tests.values()
            for path, lines in each.lines.items()
            for line in lines
        )
        half = len(self._tests) / 2
        common = {found for found, count in often.items() if count > half}
        self._rare = {
            test: {
                path: sum((path, line) not in common for line in lines)
                for path, lines in each.lines.items()
            }
            for test, each in self._tests.items()
        }

    def pick(self, mutant: Mutant, without: Iterable[str] = ()) -> Picked:
        """Return the tests for a mutant, ``without`` some."""
        left = set(self._running(mutant)) - set(without)
        ordered = list(_one_of_each(sorted(left, key=self._rank(mutant))))
        tests = tuple(ordered[: self._most])
        seconds = sum(self._tests[test].seconds for test in tests)
        return Picked(tests, seconds, len(ordered) - len(tests))

    def _running(self, mutant: Mutant) -> list[str]:
        path = mutant.path
        if not mutant.is_at_import:
            return self._through(path, mutant.lines) or self._through(
                path, mutant.statement
            )
        # Whoever runs what is around it, the module, or a module that imports it.
        return (
            self._through(path, mutant.holder)
            or self._through(path)
            or [
                test
                for test, each in self._tests.items()
                if not each.lines.keys().isdisjoint(self._imported_by.get(path, ()))
            ]
        )

    def _through(self, path: str, span: tuple[int, int] | None = None) -> list[str]:
        return [
            test
            for test, each in self._tests.items()
            if (lines := each.lines.get(path))
            and (span is None or any(span[0] <= line <= span[1] for line in lines))
        ]

    def _rank(self, mutant: Mutant):
        name = PurePath(mutant.path).stem.strip("_")

        def ranked(test: str) -> tuple[object, ...]:
            rare = self._rare[test]
            share = rare.get(mutant.path, 0) / (sum(rare.values()) or 1)
            is_named = name in PurePath(test.partition("::")[0]).stem
            return not is_named, -share, self._tests[test].seconds, test

        return ranked


def imports(sources: Mapping[str, str]) -> dict[str, set[str]]:
    """Return for each path the paths of the modules that import it by name."""
    paths = {_module(path): path for path in sources}
    imported_by: dict[str, set[str]] = defaultdict(set)
    for path, source in sources.items():
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [f"{node.module}.{each.name}" for each in node.names]
            elif isinstance(node, ast.Import):
                names = [each.name for each in node.names]
            else:
                continue
            for name in names:
                found = paths.get(name) or paths.get(name.rpartition(".")[0])
                if found and name.startswith(PACKAGE):
                    imported_by[found].add(path)
    return imported_by


def _module(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _one_of_each(tests: Iterable[str]) -> Iterator[str]:
    """Yield a test of each function first: parameters seldom find something else."""
    functions: dict[str, list[str]] = defaultdict(list)
    for test in tests:
        functions[test.partition("[")[0]].append(test)
    for several in zip_longest(*functions.values()):
        yield from filter(None, several)
