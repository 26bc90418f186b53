from itertools import pairwise, permutations

from hypothesis import given
from hypothesis import strategies as st

from ci_cache_isolation.running.order_file import arranged
from ci_cache_isolation.stress.orders import (
    SuiteTest,
    reverse,
    shuffled,
    twice,
)

GROUPED = [
    SuiteTest(f"{module}.{cls}.{test}", (module, f"{module}.{cls}"))
    for module in "mn"
    for cls in "AB"
    for test in ("one", "two", "three")
]


def test_a_seed_makes_the_same_order_from_any_sequence():
    assert shuffled(GROUPED, 3) == shuffled(GROUPED[::-1], 3)


def test_an_order_holds_every_test_once():
    assert sorted(shuffled(GROUPED, 3)) == sorted(test.id for test in GROUPED)


def test_groups_stay_together_on_every_level():
    for seed in range(50):
        order = [test.split(".") for test in shuffled(GROUPED, seed)]
        for level in (1, 2):
            names = [tuple(test[:level]) for test in order]
            changes = sum(a != b for a, b in pairwise(names))
            assert changes == len(set(names)) - 1


def test_fewer_tests_keep_the_order_that_they_had_among_more():
    order = shuffled(GROUPED, 9)
    assert shuffled(GROUPED[::2], 9) == tuple(
        test for test in order if test in {each.id for each in GROUPED[::2]}
    )


def test_similar_names_see_all_their_orders():
    # crc32, being linear, gives these 32 orders, and no more, whatever the seed.
    tests = [SuiteTest(f"test_{number:02}") for number in range(20)]
    orders = {shuffled(tests, seed) for seed in range(1000)}
    assert len(orders) == 1000
    neighbours = {pair for order in orders for pair in pairwise(order)}
    assert neighbours == set(permutations([test.id for test in tests], 2))


def test_each_order_of_three_is_as_likely_as_any_other():
    tests = [SuiteTest(name) for name in "abc"]
    counts = dict.fromkeys(permutations("abc"), 0)
    for seed in range(6000):
        counts[shuffled(tests, seed)] += 1
    assert all(850 < count < 1150 for count in counts.values()), counts


def ranked(sizes):
    return [
        SuiteTest(f"{rank}{number}", (f"{rank}{number % 2}",), rank)
        for rank, size in enumerate(sizes)
        for number in range(size)
    ]


def test_kinds_stay_in_the_runners_sequence_also_when_mixed():
    tests = ranked([4, 3, 5])
    for mixed in (False, True):
        for seed in range(20):
            order = shuffled(tests, seed, mixed=mixed)
            ranks = [test[0] for test in order]
            assert ranks == sorted(ranks)
            assert [test[0] for test in reverse(tests, order)] == ranks


def test_a_mixed_order_keeps_no_class_together():
    order = shuffled(GROUPED, 1, mixed=True)
    assert sorted(order) == sorted(test.id for test in GROUPED)
    changes = sum(a[:3] != b[:3] for a, b in pairwise(order))
    assert changes > 3


def test_turned_round_twice_an_order_is_what_it_was():
    tests = ranked([4, 3, 5])
    order = shuffled(tests, 3)
    assert reverse(tests, reverse(tests, order)) == order
    assert reverse(GROUPED, shuffled(GROUPED, 1)) == shuffled(GROUPED, 1)[::-1]


def test_twice_is_each_test_two_times_in_a_row():
    assert twice("ab") == ("a", "a", "b", "b")


@given(st.lists(st.text(), unique=True), st.randoms())
def test_arranging_follows_the_order_and_keeps_strangers_behind(ids, random):
    order = random.sample(ids, len(ids) // 2)
    positions = arranged(ids, order)
    assert sorted(positions) == list(range(len(ids)))
    found = [ids[position] for position in positions]
    strangers = [test for test in ids if test not in order]
    assert found == [*order, *strangers]


def test_any_text_is_a_test_id():
    assert shuffled([SuiteTest("\ud800[é\0]")], 1) == ("\ud800[é\0]",)
