"""The four measures: what is compared with what, and which goal it has."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from bench import commands, goals
from bench.compare import CONTROL, ISOLATED, PLAIN, Entrant, measured
from bench.rounds import Effort
from bench.stores import STORES, Kind, Site, Sites, Store
from bench.table import Row
from bench.task import Job, Task

__all__ = ["empty_commands", "empty_tests", "entries", "operations"]

MEMORY = next(store for store in STORES if store.kind is Kind.MEMORY)
UNITTEST_CASES = (
    "empty unittest.TestCase, 1 class",
    "empty SimpleTestCase, 1 class",
    "empty SimpleTestCase, 200 classes",
)
PYTEST_CASES = ("empty functions", "empty SimpleTestCase, 2 classes")
OPERATIONS = {
    "get (hit)": 1,
    "get (miss)": 1,
    "set": 1,
    "get_many(10)": 10,
    "incr": 1,
    "delete": 1,
}
"""Operations, and the number of keys in each."""

NO_MANNER = "plain"
CLEARING = "clear() in tearDown"
MANNERS = (CLEARING, "random KEY_PREFIX", "override_settings(CACHES)")


def empty_tests(folder: Path, effort: Effort, rng: random.Random) -> Iterator[Row]:
    """Compare tests that touch no cache, in warm processes: the tests alone."""
    plans = (
        ("Django's runner", Job.SUITES, UNITTEST_CASES),
        ("pytest", Job.PYTEST, PYTEST_CASES),
    )
    with MEMORY.opened(folder) as site_of:
        for runner, job, cases in plans:
            goal = goals.EMPTY_PYTEST if job is Job.PYTEST else goals.EMPTY_UNITTEST
            entrants = _isolated_and_plain(site_of, job)
            samples = measured(entrants, cases, effort, rng)
            for case in cases:
                yield Row(
                    store=runner,
                    case=case,
                    against=PLAIN,
                    measured=samples.compared(case, ISOLATED, PLAIN),
                    control=samples.compared(case, CONTROL, PLAIN),
                    is_isolated=samples.is_isolated,
                    goal=goal,
                )


def empty_commands(effort: Effort, rng: random.Random) -> Iterator[Row]:
    """Compare commands that run 2,000 tests which touch no cache, start-up included."""
    for runner, project, kind, samples in commands.measured(effort, rng):
        yield Row(
            store=runner,
            case=f"2,000 empty {kind} tests, {project}",
            against=PLAIN,
            measured=samples.compared(kind, ISOLATED, PLAIN),
            control=samples.compared(kind, CONTROL, PLAIN),
            is_isolated=True,
            goal=goals.EMPTY_COMMAND if project == commands.NEW_PROJECT else None,
        )


def operations(
    store: Store, folder: Path, effort: Effort, rng: random.Random
) -> Iterator[Row]:
    """Compare single operations in a test, with their server and cut off from it."""
    # incr() raises ValueError where nothing is ever found.
    cases = [each for each in OPERATIONS if each != "incr" or not store.forgets]
    with store.opened(folder) as site_of:
        for is_cut in (False, True) if store.can_be_cut else (False,):
            entrants = _isolated_and_plain(site_of, Job.OPERATIONS, is_cut=is_cut)
            samples = measured(entrants, cases, effort, rng, calibrates=True)
            for case in cases:
                yield Row(
                    store=f"{store.name}, cut off" if is_cut else store.name,
                    case=case,
                    against=PLAIN,
                    measured=samples.compared(case, ISOLATED, PLAIN),
                    control=samples.compared(case, CONTROL, PLAIN),
                    is_isolated=samples.is_isolated or store.forgets,
                    goal=_goal_of_operation(store, OPERATIONS[case]),
                )


def entries(
    store: Store, folder: Path, effort: Effort, rng: random.Random
) -> Iterator[Row]:
    """Compare tests that store five entries with what people write today."""
    with store.opened(folder) as site_of:
        entrants = _isolated_and_plain(site_of, Job.SUITES) | {
            manner: Entrant(_task(site_of(number), Job.SUITES), case=manner)
            for number, manner in enumerate(MANNERS, start=3)
        }
        samples = measured(entrants, [NO_MANNER], effort, rng)
    control = samples.compared(NO_MANNER, CONTROL, PLAIN)
    for other, words in {PLAIN: "nothing", **{each: each for each in MANNERS}}.items():
        is_goal = store.is_redis and other == CLEARING
        yield Row(
            store=store.name,
            case="5 entries a test",
            against=words,
            measured=samples.compared(NO_MANNER, ISOLATED, other),
            control=control,
            is_isolated=samples.is_isolated or store.forgets,
            goal=goals.ENTRIES_AGAINST_CLEAR if is_goal else None,
        )


def _isolated_and_plain(
    site_of: Sites, job: Job, *, is_cut: bool = False
) -> dict[str, Entrant]:
    return {
        name: Entrant(_task(site_of(number), job, is_isolated=isolated, is_cut=is_cut))
        for number, (name, isolated) in enumerate(
            {ISOLATED: True, PLAIN: False, CONTROL: False}.items()
        )
    }


def _task(
    site: Site, job: Job, *, is_isolated: bool = False, is_cut: bool = False
) -> Task:
    databases = {"default": site.database} if site.database else {}
    return Task(job, is_isolated, {"default": site.cache}, databases, is_cut)


def _goal_of_operation(store: Store, keys: int) -> goals.Goal | None:
    if store.kind is Kind.KEYSPACE:
        return goals.KEYSPACE_KEY.times(keys)
    if store.kind is Kind.MEMORY:
        return goals.MEMORY_OPERATION
    return None
