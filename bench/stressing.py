"""A stress run against the loops that people write, and against the peer's search.

On djangorestframework's own tests, from its sdist, and on a small suite. All
contestants take turns in one run, in pieces of a few orders. In a copy of the suite two
tests are planted: one, early, leaves something behind in a module, one, at the end,
meets it. Next a third one, which cleans up, is planted behind them.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

from bench.commands import PROJECT
from bench.contestant import environment
from ci_cache_isolation.judging.judged import Judged
from ci_cache_isolation.running.order_file import Cache
from ci_cache_isolation.running.runners import runner_named
from ci_cache_isolation.stress.engine import Stress
from ci_cache_isolation.stress.plan import Wishes
from ci_cache_isolation.stress.request import StressRequest
from ci_cache_isolation.stress.results import Run, StressResult
from tests.peers.catalogue import Peer
from tests.peers.sdists import unpacked

__all__ = ["Timed", "measured"]

SUITE = Peer("djangorestframework", "djangorestframework~=3.16", ())
ORDERS = 20
PIECE = 5
PROCESSES = 2
PLANTED = {
    "planted.py": "left = []\n",
    "test_aaa_planted.py": """from django.test import SimpleTestCase
from tests import planted

class FirstTests(SimpleTestCase):
    def test_leaves_something(self):
        planted.left.append(1)
""",
    "test_zzz_planted.py": """from django.test import SimpleTestCase
from tests import planted

class LastTests(SimpleTestCase):
    def test_finds_nothing(self):
        self.assertEqual(planted.left, [])
""",
}
CLEANER = {
    "test_zzzz_planted.py": """from django.test import SimpleTestCase
from tests import planted

class VeryLastTests(SimpleTestCase):
    def test_cleans_up(self):
        planted.left.clear()
""",
}
POLLUTER = "tests/test_aaa_planted.py::FirstTests::test_leaves_something"
VICTIM = "tests/test_zzz_planted.py::LastTests::test_finds_nothing"
SMALL = "test_database_cases.EmptyDatabaseTests0"


@dataclass(frozen=True, slots=True)
class Timed:
    """Seconds of ours, against those of somebody else or those that are allowed.

    ``limit`` is what ours may be of theirs.
    """

    case: str
    against: str
    ours: float
    theirs: float
    limit: float
    remark: str = ""

    @property
    def ratio(self) -> float:
        """Ours, as a part of theirs."""
        return self.ours / self.theirs

    @property
    def is_met(self) -> bool:
        """Whether the goal is reached."""
        return self.ratio <= self.limit


@dataclass(slots=True)
class Watch:
    """Notes when a stress run got how far; seconds since it began."""

    began: float = field(default_factory=perf_counter)
    runs: list[tuple[float, Run]] = field(default_factory=list)
    found: dict[str, float] = field(default_factory=dict)
    searched_from: float = 0.0

    def run(self, run: Run, done: int, planned: int | None) -> None:  # noqa: ARG002
        """Note the end of an order."""
        self.runs.append((self._now(), run))

    def step(self, text: str) -> None:  # noqa: ARG002
        """Note the end of all orders."""
        self.searched_from = self.searched_from or self._now()

    def finding(self, judged: Judged) -> None:
        """Note when it was first known who did it."""
        if judged.after:
            self.found.setdefault(judged.test, self._now())

    def _now(self) -> float:
        return perf_counter() - self.began

    @property
    def set_up(self) -> float:
        """Seconds until the first order began."""
        end, run = self.runs[0]
        return end - run.seconds

    @property
    def observed(self) -> float:
        """Seconds until the last order ended."""
        return self.runs[-1][0]

    @property
    def allowed(self) -> float:
        """Seconds that all orders may take, one of them with each test twice."""
        own = self.runs[0][1].seconds
        lengths = len(self.runs) + 1
        return 1.10 * lengths * own / PROCESSES + self.set_up


def measured(cache: Path, folder: Path, rng: random.Random) -> Iterator[Timed]:
    """Yield what was compared. The sdist is kept in ``cache``."""
    source = unpacked(SUITE, cache, fetch=False)
    yield from _public(source.folder, folder, rng)
    yield from _small(folder, rng)
    yield from _search(source.folder, folder)


def _public(suite: Path, folder: Path, rng: random.Random) -> Iterator[Timed]:
    pytest = (sys.executable, "-m", "pytest", "-q", "-p", "no:ci_cache_isolation")
    watches: list[Watch] = []
    wholes: list[float] = []

    def ours(_: int) -> float:
        watch, whole = _stressed("pytest", suite, folder, (), ORDERS - 3)
        watches.append(watch)
        wholes.append(whole)
        return watch.observed

    taken = _in_turns(
        {
            "loop": _loop((*pytest, "--randomly-seed={}"), suite),
            "split": _loop((*pytest, "-n2", "--randomly-seed={}"), suite),
        },
        ours,
        rng,
    )
    seconds = min(watch.observed for watch in watches)
    tests = len(watches[0].runs[0][1].order)
    case = f"{ORDERS} orders of djangorestframework's {tests:,} tests"
    spread = f"of {', '.join(f'{watch.observed:.1f}' for watch in watches)} s"
    loop, split = sum(taken["loop"]), sum(taken["split"])
    yield Timed(case, f"{ORDERS} x pytest, shuffled", seconds, loop, 1 / 4, spread)
    yield Timed(case, f"{ORDERS} x pytest -n 2", seconds, split, 1 / 2, spread)
    yield Timed(
        f"{case}, with reasons and replays",
        f"{ORDERS} x pytest, shuffled",
        min(wholes),
        loop,
        1,
    )
    best = min(watches, key=lambda watch: watch.observed)
    yield Timed(
        case, "1.10 x tests / processes, and set-up", best.observed, best.allowed, 1
    )


def _small(folder: Path, rng: random.Random) -> Iterator[Timed]:
    command = (sys.executable, "manage.py", "test", SMALL, "--shuffle", "{}")
    wholes: list[float] = []
    # Its settings are the environment's, here and in the loop.
    os.environ["DJANGO_SETTINGS_MODULE"] = "startproject_settings"

    def ours(_: int) -> float:
        wholes.append(_stressed("django", PROJECT, folder, (SMALL,), ORDERS - 3)[1])
        return wholes[-1]

    try:
        taken = _in_turns({"loop": _loop(command, PROJECT)}, ours, rng)
    finally:
        del os.environ["DJANGO_SETTINGS_MODULE"]
    yield Timed(
        f"{ORDERS} orders of 100 tests of a new project",
        f"{ORDERS} x manage.py test --shuffle",
        min(wholes),
        sum(taken["loop"]),
        1 / 8,
    )


def _search(suite: Path, folder: Path) -> Iterator[Timed]:
    for what, files in (
        ("a polluter", PLANTED),
        ("a polluter, where another test cleans up", PLANTED | CLEANER),
    ):
        planted = folder / f"planted-{len(files)}"
        shutil.copytree(suite, planted)
        for name, text in files.items():
            (planted / "tests" / name).write_text(text, encoding="utf-8")
        watch, _ = _stressed("pytest", planted, folder, (), 1)
        seconds = watch.found[VICTIM] - watch.searched_from
        begun = perf_counter()
        done = subprocess.run(
            [
                # Its plugin is found by the name of its module, so not by -m.
                str(Path(sys.executable).with_name("detect-test-pollution")),
                *("--tests=tests", f"--failing-test={VICTIM}"),
            ],
            cwd=planted,
            env=_environment()
            | {"PYTEST_ADDOPTS": "-p no:ci_cache_isolation -p no:randomly"},
            check=False,
            capture_output=True,
            text=True,
        )
        peer = perf_counter() - begun
        case = f"{what}, from the failing order on"
        if POLLUTER in done.stdout:
            yield Timed(case, "10 s", seconds, 10, 1)
            yield Timed(case, "detect-test-pollution", seconds, peer, 1 / 10)
        else:
            said = f"detect-test-pollution gives up after {peer:.1f} s"
            yield Timed(case, "10 s", seconds, 10, 1, said)


def _stressed(
    runner: str, suite: Path, folder: Path, labels: tuple[str, ...], orders: int
) -> tuple[Watch, float]:
    """Return how a stress run went, and the seconds that it took in all."""
    orders_folder = folder / "orders"
    shutil.rmtree(orders_folder, ignore_errors=True)
    orders_folder.mkdir(mode=0o700, parents=True)
    request = StressRequest(
        labels=labels,
        cache=Cache.SHARED,
        wishes=Wishes(orders=orders, until_pairs=None, split=0, mixed=False),
        minutes=None,
        seed=1,
        processes=PROCESSES,
    )
    watch = Watch()
    result: StressResult = Stress(
        runner_named(runner, suite), request, orders_folder, watch
    ).run()
    assert len(result.runs) == orders + 3
    return watch, perf_counter() - watch.began


def _in_turns(
    loops: Mapping[str, Callable[[int], float]],
    ours: Callable[[int], float],
    rng: random.Random,
) -> dict[str, list[float]]:
    """Have each loop take its orders in pieces, and ours come twice in between."""
    pieces = [(name, at) for name in loops for at in range(0, ORDERS, PIECE)]
    rng.shuffle(pieces)
    half = len(pieces) // 2
    taken: dict[str, list[float]] = {name: [] for name in loops}
    for number, (name, at) in enumerate(pieces):
        if number in {half // 2, half + half // 2}:
            ours(number)
        taken[name] += [loops[name](each) for each in range(at, at + PIECE)]
    return taken


def _loop(command: tuple[str, ...], suite: Path) -> Callable[[int], float]:
    def seconds(seed: int) -> float:
        begun = perf_counter()
        subprocess.run(
            [each.format(seed + 1) for each in command],
            cwd=suite,
            env=_environment(),
            # A shuffled suite may well have a test that fails.
            check=False,
            capture_output=True,
        )
        return perf_counter() - begun

    return seconds


def _environment() -> dict[str, str]:
    variables = environment(0)
    # Each run of a loop is one of its own, and the package is no part of it.
    del variables["PYTHONHASHSEED"], variables["PYTHONPATH"]
    if settings := os.environ.get("DJANGO_SETTINGS_MODULE"):
        variables["DJANGO_SETTINGS_MODULE"] = settings
    return variables
