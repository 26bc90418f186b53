"""Single operations, timed in the body of a test."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from django.core.cache import caches
from django.test import SimpleTestCase, TestCase

from bench.inside.cut_off import cut_off
from bench.inside.project import is_in_section, running
from bench.task import Task

__all__ = ["OPERATIONS", "run"]

MANY = [f"key{number}" for number in range(10)]
PARTS = 4
VALUE = {"name": "a value", "numbers": list(range(10))}


@dataclass(frozen=True, slots=True)
class Operation:
    """What must be there before, and the operation on the n-th turn."""

    run: Callable[[Any, int], object]
    prepare: Callable[[Any, int], object] = lambda _cache, _loops: None


def _key(number: int) -> str:
    return f"entry{number}"


OPERATIONS = {
    "get (hit)": Operation(
        prepare=lambda cache, _: cache.set("hit", VALUE),
        run=lambda cache, _: cache.get("hit"),
    ),
    "get (miss)": Operation(run=lambda cache, _: cache.get("missing")),
    "set": Operation(run=lambda cache, turn: cache.set(MANY[turn % 10], VALUE)),
    "get_many(10)": Operation(
        prepare=lambda cache, _: cache.set_many(dict.fromkeys(MANY, VALUE)),
        run=lambda cache, _: cache.get_many(MANY),
    ),
    "incr": Operation(
        prepare=lambda cache, _: cache.set("count", 1),
        run=lambda cache, _: cache.incr("count"),
    ),
    "delete": Operation(
        # From -2: two turns go to the recording where the network is cut.
        prepare=lambda cache, loops: cache.set_many(
            {_key(turn): 1 for turn in range(-2, loops + PARTS)}
        ),
        run=lambda cache, turn: cache.delete(_key(turn)),
    ),
}


def measured(cache: Any, case: str, loops: int, *, is_cut: bool) -> float:
    """Return the seconds of one operation: the best part of a batch.

    The best, because whatever else the machine does only adds.
    """
    operation = OPERATIONS[case]
    operation.prepare(cache, loops)
    first = iter((-2, -1))
    length = max(1, loops // PARTS)
    parts = [range(start, start + length) for start in range(0, loops, length)]
    with (
        cut_off(cache, lambda: operation.run(cache, next(first)))
        if is_cut
        else nullcontext()
    ):
        return min(_timed(operation.run, cache, turns) for turns in parts)


def _timed(work: Callable[[Any, int], object], cache: Any, turns: range) -> float:
    begun = perf_counter()
    for turn in turns:
        work(cache, turn)
    return (perf_counter() - begun) / len(turns)


def run(task: Task, serve: Callable[..., None]) -> None:
    """Serve from inside a test, which the task's runner runs."""

    class OperationTests(TestCase if task.databases else SimpleTestCase):  # type: ignore[misc]
        def test_operations(self) -> None:
            cache = caches["default"]

            def measure(case: str, loops: int) -> float:
                return measured(cache, case, loops, is_cut=task.is_cut)

            serve(measure, has_section=is_in_section(task))

    with running(task) as runner:
        suite = runner.test_suite([OperationTests("test_operations")])
        if not runner.run_suite(suite).wasSuccessful():
            raise SystemExit(1)
