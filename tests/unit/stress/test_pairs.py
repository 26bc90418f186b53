import json
import time
from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_cache_isolation.stress.orders import SuiteTest, shuffled
from ci_cache_isolation.stress.pairs import CoverageError, PairCount, Pairs

TESTS = "abcdef"
orders_of_tests = st.lists(st.permutations(TESTS), max_size=6)


def brute_force(orders):
    before, adjacent = set(), set()
    for order in orders:
        before |= {
            (u, v) for u, v in permutations(TESTS, 2) if order.index(u) < order.index(v)
        }
        adjacent |= set(pairwise(order))
    return before, adjacent


def pairs_of(orders, tests=TESTS):
    pairs = Pairs(tests)
    for order in orders:
        pairs.add(order)
    return pairs


@given(orders_of_tests)
def test_counts_are_those_of_brute_force(orders):
    before, adjacent = brute_force(orders)
    count = pairs_of(orders).count()
    assert count == PairCount(30, len(before), len(adjacent), 0)


@given(orders_of_tests, orders_of_tests)
def test_the_gain_is_what_is_counted_afterwards(orders, more):
    pairs = pairs_of(orders)
    before, gain = pairs.count(), pairs.gain(*more)
    assert pairs.count() == before
    after = pairs_of([*orders, *more]).count()
    assert gain == (after.covered - before.covered, after.adjacent - before.adjacent)


@given(orders_of_tests, orders_of_tests)
def test_what_went_through_json_is_the_same_and_unites_exactly(orders, more):
    tests = [SuiteTest(name, rank=name > "d") for name in TESTS]
    one, other, both = Pairs.of(tests), Pairs.of(tests), Pairs.of(tests)
    for order in orders:
        one.add(order)
        both.add(order)
    for order in more:
        other.add(order)
        both.add(order)
    for known in ((), TESTS):
        read = [
            Pairs.from_json(json.loads(json.dumps(each.to_json())), known)
            for each in (one, other)
        ]
        assert read[0].count() == one.count()
        assert read[0].gain([*read[0]._bit][::-1])[0] <= 15
        read[0].unite(read[1])
        assert read[0].count() == both.count()
        assert read[0].to_json() == both.to_json()


def test_coverage_of_other_tests_is_refused():
    values = pairs_of([TESTS]).to_json()
    with pytest.raises(CoverageError, match="other tests"):
        Pairs.from_json(values, "fedcba")
    with pytest.raises(CoverageError, match="different tests"):
        Pairs.from_json(values).unite(pairs_of(["ghijkl"], "ghijkl"))


@pytest.mark.parametrize(
    "change",
    [
        {"before": "!"},
        {"before": ""},
        {"tests": 5},
        {"tests": "many"},
        {"ranks": [1]},
        {"ranks": None},
    ],
)
def test_coverage_that_is_damaged_is_refused(change):
    values = pairs_of([TESTS]).to_json() | change
    with pytest.raises(CoverageError):
        Pairs.from_json(values)
    values.pop("before")
    with pytest.raises(CoverageError):
        Pairs.from_json(values)


def test_forward_and_reverse_leave_nothing_out():
    pairs = pairs_of([TESTS, TESTS[::-1]])
    assert pairs.count(both_ways=True) == PairCount(30, 30, 10, 0)


def test_what_forward_and_reverse_leave_out_is_unreachable():
    # The runner keeps abc before def.
    pairs = pairs_of(["abcdef", "cbafed"])
    assert pairs.count(both_ways=True).unreachable == 9


def test_the_ranks_tell_what_is_unreachable_before_anything_ran():
    tests = [
        SuiteTest(name, rank=rank)
        for name, rank in zip("abcdef", [0, 2, 0, 1, 2, 2], strict=True)
    ]
    count = Pairs.of(tests).count()
    rank = {test.id: test.rank for test in tests}
    wrong = [(u, v) for u, v in permutations(TESTS, 2) if rank[u] > rank[v]]
    assert (count.unreachable, count.reachable) == (len(wrong), 30 - len(wrong))


def test_a_test_run_twice_is_no_pair_with_itself():
    pairs = pairs_of([["a", "a", "b"]], "ab")
    assert pairs.gain(["a", "a", "b"]) == (0, 0)
    assert pairs.count() == PairCount(2, 1, 1, 0)


def test_unknown_tests_are_passed_over():
    pairs = pairs_of([["a", "setUpClass (x)", "b"]], "ab")
    assert pairs.count() == PairCount(2, 1, 1, 0)


def test_twenty_orders_of_two_thousand_tests_are_counted_and_packed_at_once():
    tests = [SuiteTest(f"t{number}") for number in range(2000)]
    orders = [shuffled(tests, seed) for seed in range(20)]
    begun = time.process_time()
    pairs = Pairs.of(tests)
    for order in orders:
        pairs.add(order)
    count = pairs.count()
    spent = time.process_time() - begun
    assert 0 < count.total - count.covered < 20
    # 0.03 s; the limit is for machines that have other things to do.
    assert spent < 2
    assert len(json.dumps(pairs.to_json())) < 200_000
