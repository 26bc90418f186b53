import itertools
import random

import pytest

from ci_cache_isolation.judging.chance import (
    Decision,
    Sequential,
    failure_rate_bound,
    orders_needed,
    rate_at_least,
    rate_at_most,
    seen_by_one_order,
)


@pytest.mark.parametrize(
    ("runs", "percent"), [(20, 13.9), (59, 4.95), (170, 1.75), (0, 100)]
)
def test_the_bound_is_the_one_of_the_formula(runs, percent):
    assert failure_rate_bound(runs) * 100 == pytest.approx(percent, abs=0.05)


def test_a_suite_at_the_bound_is_clean_as_seldom_as_the_confidence_says():
    generator = random.Random(1)
    rate = failure_rate_bound(20)
    clean = sum(
        all(generator.random() > rate for _ in range(20)) for _ in range(20_000)
    )
    assert clean / 20_000 == pytest.approx(0.05, abs=0.01)


@pytest.mark.parametrize(
    ("failed", "runs", "low", "high"),
    [
        # Two-sided at 95 %, as the tables have them.
        (0, 10, 0.0, 0.3085),
        (1, 10, 0.0025, 0.4450),
        (5, 10, 0.1871, 0.8129),
        (10, 10, 0.6915, 1.0),
        (3, 100, 0.0062, 0.0852),
    ],
)
def test_clopper_and_pearsons_interval_is_the_one_of_the_tables(
    failed, runs, low, high
):
    assert rate_at_least(failed, runs, 0.975) == pytest.approx(low, abs=1e-4)
    assert rate_at_most(failed, runs, 0.975) == pytest.approx(high, abs=1e-4)


def test_ten_of_ten_means_at_least_74_percent():
    assert rate_at_least(10, 10) == pytest.approx(0.7411, abs=1e-4)


@pytest.mark.parametrize("runs", [1, 20, 170, 5000])
def test_without_a_failure_the_two_bounds_are_one(runs):
    assert rate_at_most(0, runs) == pytest.approx(failure_rate_bound(runs), abs=1e-9)
    assert rate_at_least(runs, runs) == pytest.approx(1 - failure_rate_bound(runs))


@pytest.mark.parametrize("rate", [0.05, 0.3, 0.8])
def test_the_true_rate_is_seldom_outside_the_bounds(rate):
    generator = random.Random(2)
    low, high = (
        [bound(failed, 15) for failed in range(16)]
        for bound in (rate_at_least, rate_at_most)
    )
    failed = [sum(generator.random() < rate for _ in range(15)) for _ in range(10_000)]
    assert sum(rate < low[each] for each in failed) / 10_000 <= 0.055
    assert sum(rate > high[each] for each in failed) / 10_000 <= 0.055


@pytest.mark.parametrize(
    ("cleaners", "at_95", "at_99"),
    [(0, 5, 7), (1, 8, 12), (2, 11, 17), (5, 20, 30), (10, 35, 53)],
)
def test_the_orders_that_are_needed_are_those_of_the_table(cleaners, at_95, at_99):
    assert orders_needed(0.95, cleaners=cleaners) == at_95
    assert orders_needed(0.99, cleaners=cleaners) == at_99


@pytest.mark.parametrize(
    ("polluters", "cleaners"), [(1, 0), (1, 3), (3, 1), (2, 2), (5, 0)]
)
def test_one_order_shows_a_victim_as_often_as_shuffling_does(polluters, cleaners):
    generator = random.Random(3)
    tests = ["polluter"] * polluters + ["cleaner"] * cleaners + ["victim"]
    shown = 0
    for _ in range(20_000):
        generator.shuffle(tests)
        place = tests.index("victim")
        shown += place > 0 and tests[place - 1] == "polluter"
    chance = seen_by_one_order(cleaners, polluters)
    assert shown / 20_000 == pytest.approx(chance, abs=0.015)


def test_so_many_orders_miss_a_victim_as_seldom_as_the_confidence_says():
    for cleaners, confidence in itertools.product(range(6), (0.9, 0.95, 0.99)):
        orders = orders_needed(confidence, cleaners=cleaners)
        misses = 1 - seen_by_one_order(cleaners)
        assert misses**orders <= 1 - confidence < misses ** (orders - 1)


def test_six_passes_are_rare_and_one_failure_is_often():
    test = Sequential()
    assert test.after(passed=5).decision is Decision.OPEN
    assert test.after(passed=6).decision is Decision.RARE
    assert test.after(failed=1).decision is Decision.OFTEN
    assert test.after(passed=2).after(failed=1).decision is Decision.OPEN
    assert test.after(passed=2).after(failed=2).decision is Decision.OFTEN


@pytest.mark.parametrize(
    ("rate", "wrong", "limit"),
    [(0.02, Decision.OFTEN, 0.12), (0.5, Decision.RARE, 0.03)],
)
def test_the_wrong_answer_is_as_seldom_as_it_was_allowed(rate, wrong, limit):
    generator = random.Random(4)
    mistakes = 0
    for _ in range(5_000):
        test = Sequential()
        while test.decision is Decision.OPEN:
            has_failed = generator.random() < rate
            test = test.after(failed=has_failed, passed=not has_failed)
        mistakes += test.decision is wrong
    assert mistakes / 5_000 <= limit
