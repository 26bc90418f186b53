from itertools import pairwise, permutations

from hypothesis import given
from hypothesis import strategies as st

from ci_cache_isolation.stress.pairs import PairCount, Pairs

TESTS = "abcdef"


@given(st.lists(st.permutations(TESTS), max_size=6))
def test_counts_are_those_of_brute_force(orders):
    pairs = Pairs(TESTS)
    before, adjacent = set(), set()
    for order in orders:
        pairs.add(order)
        before |= {
            (u, v) for u, v in permutations(TESTS, 2) if order.index(u) < order.index(v)
        }
        adjacent |= set(pairwise(order))
    count = pairs.count(both_ways=False)
    assert count == PairCount(30, len(before), len(adjacent), None)


def test_forward_and_reverse_leave_nothing_out():
    pairs = Pairs(TESTS)
    pairs.add(TESTS)
    pairs.add(TESTS[::-1])
    assert pairs.count(both_ways=True) == PairCount(30, 30, 10, 0)


def test_what_forward_and_reverse_leave_out_is_unreachable():
    # The runner keeps abc before def.
    pairs = Pairs(TESTS)
    pairs.add("abcdef")
    pairs.add("cbafed")
    assert pairs.count(both_ways=True).unreachable == 9


def test_a_test_run_twice_is_no_pair_with_itself():
    pairs = Pairs("ab")
    pairs.add(["a", "a", "b"])
    assert pairs.count(both_ways=False) == PairCount(2, 1, 1, None)


def test_unknown_tests_are_passed_over():
    pairs = Pairs("ab")
    pairs.add(["a", "setUpClass (x)", "b"])
    assert pairs.count(both_ways=False) == PairCount(2, 1, 1, None)
