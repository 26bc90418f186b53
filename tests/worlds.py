"""Made-up suites: tests that pollute, clean up and guess, and what running them costs.

Nothing is run, so a hundred suites of any kind take no time. Each run is counted, in
test-seconds of one processor.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from ci_cache_isolation.judging.history import Observed
from ci_cache_isolation.running.jobs import End, Forked, SectionMode
from ci_cache_isolation.running.outcomes import FAILED, PASSED

SECONDS_A_TEST = 0.0033
SECONDS_A_FORK = 0.010


@dataclass
class World:
    """``victims`` and ``brittle`` map tests to groups, each enough to set their state.

    ``cleaners`` map either to those that undo it. What is in ``by_cache`` is cured by
    isolation. ``guessing`` maps tests to failure rates.
    """

    tests: list[str]
    victims: dict[str, list[tuple[str, ...]]] = field(default_factory=dict)
    brittle: dict[str, list[tuple[str, ...]]] = field(default_factory=dict)
    cleaners: dict[str, set[str]] = field(default_factory=dict)
    by_cache: set[str] = field(default_factory=set)
    guessing: dict[str, float] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    seed: int = 0
    processes: int = 2

    def __post_init__(self):
        self.random = random.Random(self.seed)
        self.jobs = []
        self.seconds = 0.0
        self.about = Counter()
        # Which states a test has a hand in, so that a run costs little.
        self._touches = defaultdict(list)
        for test, groups in (self.victims | self.brittle).items():
            for group in groups:
                for member in group:
                    self._touches[member].append(test)
            for cleaner in self.cleaners.get(test, ()):
                self._touches[cleaner].append(test)

    def outcomes(self, order, *, is_isolated=False):
        """Return the outcome of each test; a failure counts where it ran twice."""
        seen = defaultdict(set)
        outcomes = {}
        for test in order:
            has_failed = self._has_failed(test, seen, is_isolated=is_isolated)
            if outcomes.get(test) != FAILED:
                outcomes[test] = FAILED if has_failed else PASSED
            for target in self._touches[test]:
                if test in self.cleaners.get(target, ()):
                    seen[target].clear()
                else:
                    seen[target].add(test)
        return outcomes

    def _has_failed(self, test, seen, *, is_isolated):
        if test in self.broken:
            return True
        if test in self.guessing:
            return self.random.random() < self.guessing[test]
        groups = (self.victims | self.brittle).get(test, ())
        is_set = any(set(group) <= seen[test] for group in groups)
        if is_isolated and test in self.by_cache:
            is_set = False
        return is_set != (test in self.brittle)

    def observe(self, *orders, neighbours=()):
        """Return what whole orders came to."""
        observed = []
        for order in orders:
            outcomes = self.outcomes(order)
            observed.append(
                Observed(
                    tuple(order),
                    frozenset(t for t, got in outcomes.items() if got == FAILED),
                    frozenset(t for t, got in outcomes.items() if got == PASSED),
                    tuple(neighbours),
                )
            )
        return observed

    def run(self, jobs):
        """Run jobs as a fork server does, some at a time, the shortest ended first."""
        waiting, running = iter(jobs), []
        while True:
            while len(running) < self.processes and (job := next(waiting, None)):
                running.append(job)
            if not running:
                return
            job = min(running, key=lambda job: len(job.tests))
            running.remove(job)
            self.jobs.append(job)
            self.about[job.tests[-1]] += 1
            seconds = SECONDS_A_FORK + SECONDS_A_TEST * len(job.tests)
            self.seconds += seconds
            outcomes = self.outcomes(
                job.tests,
                is_isolated=job.sections in {SectionMode.ISOLATED, SectionMode.RESET},
            )
            yield Forked(job, End.FINISHED, outcomes, seconds, "why")


def shuffles(tests, seed, number):
    """Return forward, reverse, twice, and so many pairs of random orders."""
    generator = random.Random(seed)
    orders = [list(tests), list(tests)[::-1], [t for t in tests for _ in "ab"]]
    for _ in range(number):
        order = generator.sample(tests, len(tests))
        orders += [order, order[::-1]]
    return orders


def random_world(seed):
    """Return a suite with some of everything, in places of all kinds."""
    generator = random.Random(seed)
    size = generator.choice([12, 30, 60, 120])
    tests = [f"t{number:03}" for number in range(size)]
    roles = generator.sample(tests, size)
    take = roles.pop
    world = World(tests, seed=seed, processes=generator.choice([1, 2, 4]))
    targets = []
    for _ in range(generator.randint(0, 3)):
        test = take()
        others = [each for each in tests if each != test]
        groups = [(each,) for each in generator.sample(others, generator.randint(1, 3))]
        if generator.random() < 0.3:
            single = {each for (each,) in groups}
            pool = [each for each in others if each not in single]
            groups.append(tuple(sorted(generator.sample(pool, 2))))
        world.victims[test] = groups
        targets.append(test)
    if generator.random() < 0.5:
        test = take()
        world.victims[test] = [(test,)]
    for _ in range(generator.randint(0, 2)):
        test = take()
        others = [each for each in tests if each != test]
        chosen = generator.sample(others, generator.randint(1, 2))
        world.brittle[test] = [(each,) for each in chosen]
        targets.append(test)
    for test in targets:
        groups = (world.victims | world.brittle)[test]
        hands = {each for group in groups for each in group} | {test}
        free = [each for each in tests if each not in hands]
        world.cleaners[test] = set(generator.sample(free, generator.randint(0, 3)))
        if generator.random() < 0.5:
            world.by_cache.add(test)
    for _ in range(generator.randint(0, 2)):
        world.guessing[take()] = generator.choice([0.02, 0.05, 0.1, 0.3, 0.5])
    for _ in range(generator.randint(0, 1)):
        world.broken.add(take())
    world.__post_init__()
    return world
