from itertools import pairwise, permutations

import pytest

from ci_cache_isolation.stress.orders import SuiteTest
from ci_cache_isolation.stress.rows import Rows, row, rows_of


def suite(*sizes, rank=0):
    return [
        SuiteTest(f"C{rank}{number}.t{test}", (f"C{rank}{number}",), rank)
        for number, size in enumerate(sizes)
        for test in range(size)
    ]


@pytest.mark.parametrize("things", range(13))
def test_rows_put_everything_next_to_everything(things):
    rows = [row(things, number) for number in range(rows_of(things))]
    assert all(sorted(each) == list(range(things)) for each in rows)
    met = {pair for each in rows for pair in pairwise(each)}
    assert met == set(permutations(range(things), 2))


@pytest.mark.parametrize("things", [2, 4, 12])
def test_an_even_number_needs_as_many_rows_as_things_and_no_pair_twice(things):
    met = [pair for number in range(things) for pair in pairwise(row(things, number))]
    assert len(met) == len(set(met)) == things * (things - 1)


def test_the_row_of_the_books():
    assert row(6, 0) == [0, 5, 1, 4, 2, 3]
    assert row(6, 1) == [1, 0, 2, 5, 3, 4]
    assert row(5, 0) == [0, 1, 4, 2, 3]


def test_classes_and_what_is_in_them_go_in_step():
    tests = suite(4, 2, 3, 1, 2, 6)
    rows = Rows(tests, 7)
    assert rows.number == 6
    orders = [rows.order(number) for number in range(rows.number)]
    met = {pair for order in orders for pair in pairwise(order)}
    class_of = {test.id: test.groups[0] for test in tests}
    for one, other in permutations(class_of, 2):
        if class_of[one] == class_of[other]:
            assert (one, other) in met
    classes = {(class_of[a], class_of[b]) for a, b in met if class_of[a] != class_of[b]}
    assert classes == set(permutations(set(class_of.values()), 2))


def test_rows_meet_all_siblings_and_count_them():
    tests = suite(4, 2, 3) + suite(2, 5, rank=1)
    rows = Rows(tests, 1)
    met = [
        each for number in range(rows.number) for each in rows.met(rows.order(number))
    ]
    assert len(set(met)) == rows.siblings == 12 + 2 + 6 + 6 + 2 + 20 + 2


def test_rows_keep_the_ranks_in_sequence():
    tests = suite(2, 2, rank=1) + suite(3, 1)
    rank = {test.id: test.rank for test in tests}
    rows = Rows(tests, 3)
    for number in range(rows.number):
        order = rows.order(number)
        assert sorted(order) == sorted(rank)
        assert [rank[test] for test in order] == [0, 0, 0, 0, 1, 1, 1, 1]


def test_mixed_rows_put_tests_of_all_classes_next_to_each_other():
    tests = suite(3, 2, 1)
    rows = Rows(tests, 3, mixed=True)
    orders = [rows.order(number) for number in range(rows.number)]
    met = {pair for order in orders for pair in pairwise(order)}
    assert met == set(permutations([test.id for test in tests], 2))


def test_the_seed_decides_who_is_who():
    tests = suite(3, 4)
    assert Rows(tests, 1).order(0) == Rows(tests[::-1], 1).order(0)
    assert Rows(tests, 1).order(0) != Rows(tests, 2).order(0)


def test_no_tests_have_no_rows():
    assert (Rows([], 1).number, Rows([], 1).siblings) == (0, 0)
    assert Rows(suite(1), 1).order(0) == ("C00.t0",)
