"""Whole commands on a project, as users type them: wall time, start-up included."""

from __future__ import annotations

import itertools
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter

from bench.compare import CONTROL, ISOLATED, PLAIN, Samples
from bench.contestant import environment
from bench.rounds import Effort, interleaved

__all__ = ["measured"]

PROJECT = Path(__file__).parent / "project"
TESTS = 2000
COMMANDS = {
    "manage.py test": {
        PLAIN: ("manage.py", "test"),
        ISOLATED: (
            "manage.py",
            "test",
            "--testrunner=ci_cache_isolation.runner.IsolatedRunner",
        ),
    },
    "pytest": {
        PLAIN: ("-m", "pytest", "-p", "no:ci_cache_isolation"),
        ISOLATED: ("-m", "pytest"),
    },
}
MODULES = {"SimpleTestCase": "test_cases", "TestCase": "test_database_cases"}
NEW_PROJECT = "startproject"
SETTINGS = {"no app": "settings", NEW_PROJECT: "startproject_settings"}
"""A project without an app starts sooner than anybody's; one that is new is the goal's.
"""


def measured(
    effort: Effort, rng: random.Random
) -> Iterator[tuple[str, str, str, Samples]]:
    """Yield each command, project, kind of test and samples.

    Samples are seconds for one test of 2,000.
    """
    seed = rng.randrange(2**32)
    for (name, variants), (project, settings), (kind, module) in itertools.product(
        COMMANDS.items(), SETTINGS.items(), MODULES.items()
    ):
        variables = {**environment(seed), "DJANGO_SETTINGS_MODULE": settings}
        label = f"{module}.py" if name == "pytest" else module
        asked = {
            contestant: _timing((*variants[variant], label), variables)
            for contestant, variant in (
                (ISOLATED, ISOLATED),
                (PLAIN, PLAIN),
                (CONTROL, PLAIN),
            )
        }
        samples = Samples(is_isolated=True)
        rounds = interleaved(asked, effort.commands, rng)
        # Every run is a process of its own, so every round is a group.
        for taken in zip(*rounds.values(), strict=True):
            samples.add(
                kind, {who: [one] for who, one in zip(rounds, taken, strict=True)}
            )
        yield name, project, kind, samples


def _timing(
    arguments: tuple[str, ...], variables: dict[str, str]
) -> Callable[[], float]:
    def seconds() -> float:
        begun = perf_counter()
        subprocess.run(
            [sys.executable, *arguments],
            cwd=PROJECT,
            env=variables,
            check=True,
            capture_output=True,
        )
        return (perf_counter() - begun) / TESTS

    return seconds
