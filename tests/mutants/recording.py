"""One run of a level's tests in which every process notes the lines that it runs."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

from tests.mutants.mutant import PACKAGE
from tests.mutants.reach import Lines, Reach, TestReach
from tests.mutants.slots import PROJECT, Broken, Slot, project_files

__all__ = ["dealt", "digest", "record"]

# Exit codes of pytest: all passed, some failed.
RAN = (0, 1)
ON_WHICH_TESTS_DEPEND = (PACKAGE, "pyproject.toml", "template", "tests")
NOT_ON = "mutants"


def digest(paths: Sequence[str]) -> str:
    """Return what changes whenever tests in some paths may run other lines."""
    found = hashlib.blake2b(digest_size=10)
    for name in [sys.version, *paths]:
        found.update(name.encode() + b"\0")
    for name in project_files():
        if name.startswith(ON_WHICH_TESTS_DEPEND) and NOT_ON not in name:
            content = hashlib.blake2b((PROJECT / name).read_bytes()).digest()
            found.update(name.encode() + b"\0" + content)
    return found.hexdigest()


def record(paths: Sequence[str], slots: Sequence[Slot], stop: Event) -> Reach:
    """Run all tests in some paths, a part of their files in each slot."""
    files = {name: (PROJECT / name).stat().st_size for name in _test_files(paths)}
    if not files:
        raise Broken(f"There are no tests in {', '.join(paths)}.")
    parts = dealt(files, len(slots))
    with ThreadPoolExecutor(len(slots)) as pool:
        try:
            found = list(pool.map(_recorded, slots, parts))
        except BaseException:
            stop.set()
            raise
    return Reach(
        {test: each for reach in found for test, each in reach.tests.items()},
        {test: why for reach in found for test, why in reach.left_out.items()},
    )


def dealt(sizes: dict[str, int], parts: int) -> list[list[str]]:
    """Deal files out so that each part has about as much of them, the biggest first."""
    dealt: list[list[str]] = [[] for _ in range(parts)]
    totals = [0] * parts
    for name in sorted(sizes, key=lambda name: (-sizes[name], name)):
        least = totals.index(min(totals))
        dealt[least].append(name)
        totals[least] += sizes[name]
    return dealt


def _test_files(paths: Sequence[str]) -> Iterable[str]:
    for name in project_files():
        path = Path(name)
        is_inside = any(path.is_relative_to(each) for each in paths)
        if is_inside and path.name.startswith("test_") and path.suffix == ".py":
            yield name


def _recorded(slot: Slot, files: Sequence[str]) -> Reach:
    if not files:
        return Reach({}, {})
    code, report = slot.run(files)
    if code not in RAN or report.running:
        raise Broken(f"pytest ends with {code}:\n{slot.log.read_text()[-4000:]}")
    noted = {
        path.name: _lines(path, slot)
        for path in slot.records.iterdir()
        if path.is_dir()
    }
    tests = {
        test: TestReach(
            ended.seconds,
            _together(noted.get(str(context), {}) for context in ended.contexts),
        )
        for test, ended in report.tests.items()
        if ended.outcome == "passed"
    }
    left_out = {
        test: ended.outcome
        for test, ended in report.tests.items()
        if ended.outcome != "passed"
    }
    return Reach(tests, left_out)


def _lines(folder: Path, slot: Slot) -> Lines:
    """Return the lines that the processes in one context noted."""
    noted = 0
    for path in folder.iterdir():
        noted |= int.from_bytes(path.read_bytes(), "little")
    content = noted.to_bytes((noted.bit_length() + 7) // 8, "little")
    lines: dict[str, frozenset[int]] = {}
    for name, (start, end) in slot.offsets.items():
        part = content[start:end]
        if any(part):
            lines[name] = frozenset(n for n, is_run in enumerate(part) if is_run)
    return lines


def _together(found: Iterable[Lines]) -> Lines:
    lines: dict[str, frozenset[int]] = {}
    for each in found:
        for name, numbers in each.items():
            lines[name] = lines.get(name, frozenset()) | numbers
    return lines
