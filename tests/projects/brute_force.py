"""Establishes by brute force which tests change which others' outcome.

``python ../brute_force.py [--runner django|pytest] [--jobs N] [--rows] [LABELS]``, in
a project's folder, runs every test alone, then random orders of all of them, every test
between each polluter and its victim, and every test behind every test (itself too): in
shared and in isolated caches, each in a fork of its own. What differs from `truth.toml`
is printed as it is found, and the exit status is 1. With ``--rows`` pairs have no forks
of their own, but orders in which each test stands right behind each other one: less of
a proof, and done in a fraction of the time.
Tests that fail by chance are polluters here as others are, but no victims; what two
processes do to each other is not looked at.
"""

import argparse
import itertools
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from truth import RUNNERS, Truth, class_of

from ci_cache_isolation.running.forks import End, ForkClient, Forked, Job, SectionMode
from ci_cache_isolation.running.outcomes import FAILED
from ci_cache_isolation.running.runners import runner_named

SECONDS = 60
# As the option --cache has them.
SECTIONS = (SectionMode.SHARED, SectionMode.ISOLATED)


class Judge:
    """Compares what is found with what is planted, for all tests or for some."""

    def __init__(self, server: ForkClient, truth: Truth, *, is_part: bool) -> None:
        self.server = server
        self.truth = truth
        self.tests = server.tests
        known = set(self.tests)
        self.is_part = is_part
        self.leaks = [
            leak for leak in self.truth.leaks if not is_part or leak.tests <= known
        ]
        self.by_chance = truth.of_verdict("non-deterministic")
        self.failing_alone = {
            *truth.of_verdict("broken"),
            *truth.of_verdict("brittle"),
        }
        self.victims = [test for test in self.tests if test not in self.by_chance]
        self.forks = 0

    def differences(self, orders: int, *, in_rows: bool) -> Iterator[str]:
        """Yield what is not as `truth.toml` says, a line each."""
        if not self.is_part:
            yield from self._unknown()
        for sections in SECTIONS:
            yield from self._alone(sections)
            if not self.is_part:
                random_orders = (shuffled(self.tests, seed) for seed in range(orders))
                yield from self._orders(random_orders, sections)
        yield from self._groups()
        yield from self._cleaners()
        for sections in SECTIONS:
            if in_rows:
                yield from self._orders(rows(self.tests), sections)
                pairs = {(test, test) for test in self.victims}
            else:
                pairs = set(itertools.product(self.tests, self.victims))
            yield from self._pairs(pairs, sections)

    def _run(self, jobs: Iterable[Job]) -> Iterator[Forked]:
        for forked in self.server.run(jobs):
            assert forked.end is End.FINISHED, forked
            self.forks += 1
            yield forked

    def _is_changed(self, forked: Forked) -> bool:
        return (forked.last == FAILED) != (forked.job.tests[-1] in self.failing_alone)

    def _unknown(self) -> Iterator[str]:
        named = set().union(*(leak.tests for leak in self.leaks))
        named |= self.truth.expected("shared").keys()
        for test in sorted(named - set(self.tests)):
            yield f"no test {test}"

    def _alone(self, sections: SectionMode) -> Iterator[str]:
        for forked in self._run(Job((test,), sections) for test in self.victims):
            [test] = forked.job.tests
            if self._is_changed(forked):
                yield f"{sections}: {test} {forked.last} alone: {forked.message}"

    def _pairs(
        self, pairs: set[tuple[str, str]], sections: SectionMode
    ) -> Iterator[str]:
        found = {
            forked.job.tests
            for forked in self._run(Job(pair, sections) for pair in pairs)
            if self._is_changed(forked)
        }
        planted = self.truth.changing_pairs(sections.value) & pairs
        for first, second in sorted(found - planted):
            yield f"{sections}: not planted: {second} changes after {first}"
        for first, second in sorted(planted - found):
            yield f"{sections}: not seen: {second} does not change after {first}"

    def _groups(self) -> Iterator[str]:
        """Look at those that work only together: in each order, and only there."""
        jobs = {
            (*order, victim): leak
            for leak in self.leaks
            for group, victim in itertools.product(leak.polluters, leak.victims)
            if len(group) > 1
            for order in itertools.permutations(group)
        }
        for sections in SECTIONS:
            for forked in self._run(Job(tests, sections) for tests in jobs):
                leak = jobs[forked.job.tests]
                is_changed = self._is_changed(forked)
                is_cured = sections is SectionMode.ISOLATED and leak.is_cured
                if is_changed is is_cured:
                    yield f"{sections}: {leak.name}: {forked.job.tests} {forked.last}"

    def _cleaners(self) -> Iterator[str]:
        jobs = {
            (*group, cleaner, victim): leak
            for leak in self.leaks
            for group, victim in itertools.product(leak.polluters, leak.victims)
            for cleaner in self.tests
            if cleaner not in {*group, victim} and not leak.is_within_class
        }
        for forked in self._run(map(Job, jobs)):
            leak = jobs[forked.job.tests]
            *group, cleaner, victim = forked.job.tests
            is_hidden = not self._is_changed(forked)
            if is_hidden and cleaner not in leak.cleaners:
                yield f"{leak.name}: {cleaner} hides {group} from {victim}"
            elif not is_hidden and cleaner in leak.cleaners:
                yield f"{leak.name}: {cleaner} does not hide {group} from {victim}"

    def _orders(
        self, orders: Iterable[tuple[str, ...]], sections: SectionMode
    ) -> Iterator[str]:
        for forked in self._run(Job(order, sections) for order in orders):
            order = forked.job.tests
            failed = {test for test, end in forked.outcomes.items() if end == FAILED}
            planted = self.truth.predicted(order, sections.value)
            for test in sorted((failed ^ planted) - self.by_chance):
                does = "fails" if test in failed else "does not fail"
                before = " ".join(order[: order.index(test)])
                yield f"{sections}: {test} {does} after {before}"


def shuffled(tests: Iterable[str], seed: int) -> tuple[str, ...]:
    """Return an order of a seed, with classes and modules of functions together."""
    chance = random.Random(seed)
    ranks = {}

    def rank(test: str) -> tuple[float, float]:
        place = ranks.setdefault(class_of(test), chance.random())
        return place, chance.random()

    return tuple(sorted(tests, key=rank))


def rows(tests: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Yield orders in which each test stands once right behind each other (Williams).

    One for each test, and one more for an odd number.
    """
    size = len(tests) + len(tests) % 2
    first = [(-place if place % 2 else place) // 2 % size for place in range(size)]
    for shift in range(size):
        places = [(place + shift) % size for place in first]
        yield tuple(tests[place] for place in places if place < len(tests))


def main() -> int:
    """Read the command line and do it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("labels", nargs="*", help="of the runner (default: all)")
    parser.add_argument("--runner", choices=RUNNERS, default="django")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--orders", type=int, default=50, help="random ones")
    parser.add_argument("--rows", action="store_true")
    asked = parser.parse_args()
    began = time.monotonic()
    here = Path.cwd()
    truth = Truth(here, asked.runner)
    os.environ["DJANGO_SETTINGS_MODULE"] = truth.settings
    sys.path.insert(0, str(here))
    with (
        tempfile.TemporaryDirectory(prefix="brute-force-") as folder,
        ForkClient(
            runner_named(asked.runner, here),
            asked.labels or [truth.package],
            Path(folder),
            processes=asked.jobs,
            seconds=SECONDS,
        ) as server,
    ):
        judge = Judge(server, truth, is_part=bool(asked.labels))
        count = 0
        for difference in judge.differences(asked.orders, in_rows=asked.rows):
            count += 1
            say(difference)
    say(
        f"{asked.runner}: {len(server.tests)} tests, {judge.forks} forks; "
        f"{len(judge.leaks)} leaks; {count} differences; "
        f"{time.monotonic() - began:.0f} s"
    )
    return 1 if count else 0


def say(line: str) -> None:
    """Print a line at once: it takes minutes until the next one."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
