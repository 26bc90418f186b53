import dataclasses
import itertools
from itertools import pairwise, permutations

import pytest

from ci_cache_isolation.stress.orders import SuiteTest
from ci_cache_isolation.stress.pairs import Pairs
from ci_cache_isolation.stress.plan import (
    Kind,
    Shard,
    Step,
    Wishes,
    order_of,
    planned,
)

SUITE = [
    SuiteTest(f"{name}.t{test}", (name,), rank)
    for name, rank, size in [("A", 0, 4), ("B", 0, 3), ("C", 0, 6), ("D", 2, 2)]
    for test in range(size)
]
FLAT = [SuiteTest(name) for name in "abcdefgh"]


def names(*arguments):
    return [each.step.name for each in planned(*arguments)]


def test_the_plan_has_forward_reverse_twice_random_pairs_and_a_split_run():
    plan = list(planned(FLAT[:2], Wishes(orders=3, split=2), 40))
    assert [each.step.name for each in plan] == [
        "forward",
        "reverse",
        "twice",
        "random 40",
        "random 40 reversed",
        "random 41",
        "split over 2",
    ]
    assert [each.step.index for each in plan] == list(range(7))
    assert [each.step.processes for each in plan] == [1, 1, 1, 1, 1, 1, 2]
    forward, reverse, twice = (each.order for each in plan[:3])
    assert (forward, reverse) == (("a", "b"), ("b", "a"))
    assert twice == ("a", "a", "b", "b")
    assert plan[4].order == plan[3].order[::-1]


def test_without_workers_there_is_no_split_run():
    for split in (0, 1):
        wishes = Wishes(orders=0, split=split, twice=False)
        assert names(FLAT, wishes, 1) == ["forward", "reverse"]


def test_every_order_holds_every_test_and_keeps_the_ranks_and_the_groups():
    rank = {test.id: test.rank for test in SUITE}
    for each in planned(SUITE, Wishes(orders=30), 4):
        assert set(each.order) == set(rank)
        ranks = [rank[test] for test in each.order]
        assert ranks == sorted(ranks)
        changes = sum(a[0] != b[0] for a, b in pairwise(each.order))
        assert changes == 3


def test_mixed_orders_keep_the_ranks_only():
    plan = list(planned(SUITE, Wishes(orders=10, mixed=True), 4))
    assert all(each.order[-1][0] == each.order[-2][0] == "D" for each in plan)
    changes = [sum(a[0] != b[0] for a, b in pairwise(each.order)) for each in plan]
    assert min(changes[3:]) > 3


def test_an_order_is_made_again_from_its_step():
    for mixed in (False, True):
        for each in planned(SUITE, Wishes(orders=40, mixed=mixed), 9):
            assert order_of(SUITE, each.step) == each.order


def test_the_same_seed_makes_the_same_plan_and_another_one_another():
    plans = [list(planned(SUITE, Wishes(orders=8), seed)) for seed in (3, 3, 4)]
    assert plans[0] == plans[1]
    assert plans[0] != plans[2]


def test_all_shards_together_are_the_plan_and_each_has_the_forward_run():
    plan = [each.step for each in planned(SUITE, Wishes(orders=9, split=2), 3)]
    for of in (1, 2, 3, 5, 20):
        shards = [Shard(number, of) for number in range(1, of + 1)]
        parts = [[step for step in plan if shard.takes(step)] for shard in shards]
        assert all(part[0].kind is Kind.FORWARD for part in parts)
        rest = [step.index for part in parts for step in part[1:]]
        assert sorted(rest) == list(range(1, len(plan)))
        sizes = [len(part) for part in parts]
        assert max(sizes) - min(sizes) <= 1


def test_neighbours_are_all_met_with_no_more_orders_than_rows_need():
    plan = list(planned(FLAT, Wishes(orders=None, until_pairs=1.0), 5))
    met = {pair for each in plan for pair in pairwise(each.order)}
    assert met >= set(permutations("abcdefgh", 2))
    assert [each.neighbours for each in plan][-1] == 1
    assert all(each.neighbours < 1 for each in plan[:-1])
    assert [each.step.kind for each in plan[3:]] == [Kind.ROW] * 8


def test_a_share_of_neighbours_is_reached_and_no_order_is_planned_beyond_it():
    *before, last = planned(SUITE, Wishes(orders=None, until_pairs=0.5), 5)
    assert last.neighbours >= 0.5
    assert all(each.neighbours < 0.5 for each in before)


def test_a_limit_of_orders_holds_whatever_share_is_wanted():
    assert len(names(SUITE, Wishes(orders=2, until_pairs=1.0), 5)) == 5


def test_the_chosen_orders_show_more_neighbours_than_the_first_seeds():
    tests = [SuiteTest(f"t{number}") for number in range(12)]
    chosen, first = Pairs.of(tests), Pairs.of(tests)
    for each in planned(tests, Wishes(orders=20, twice=False), 0):
        chosen.add(each.order)
    for step in [Step(0, Kind.FORWARD), Step(0, Kind.REVERSE, reverse=True)] + [
        Step(0, Kind.RANDOM, seed, reverse=way)
        for seed, way in itertools.product(range(10), (False, True))
    ]:
        first.add(order_of(tests, step))
    assert chosen.count().adjacent > first.count().adjacent


def test_a_plan_without_a_limit_goes_on_as_long_as_it_is_asked():
    plan = planned(SUITE, Wishes(orders=None), 5)
    assert len(list(itertools.islice(plan, 60))) == 60


@pytest.mark.parametrize("tests", [[], FLAT[:1]])
def test_a_suite_of_none_or_one_has_a_plan(tests):
    plan = list(planned(tests, Wishes(orders=3, until_pairs=1.0), 5))
    assert [each.step.name for each in plan] == ["forward", "reverse", "twice"]
    assert dataclasses.replace(plan[0].step).row == 0
