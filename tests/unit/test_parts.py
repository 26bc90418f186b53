import argparse

import pytest

from tests.parts import part, part_of

IDS = [f"tests/system/test_some.py::test_one[{number}]" for number in range(1000)]


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_each_test_is_in_one_of_the_parts_and_all_are_about_as_large(count):
    sizes = [0] * count
    for nodeid in IDS:
        sizes[part_of(nodeid, count) - 1] += 1
    assert sum(sizes) == len(IDS)
    assert min(sizes) > 0.8 * len(IDS) / count


def test_a_part_is_the_same_on_every_machine():
    assert [part_of(nodeid, 3) for nodeid in IDS[:8]] == [3, 2, 3, 1, 2, 1, 3, 2]


def test_a_part_is_named_by_two_numbers():
    assert part("2/3") == (2, 3)


@pytest.mark.parametrize("text", ["", "2", "0/3", "4/3", "a/b", "1/2/3", "-1/3"])
def test_what_names_no_part_is_refused(text):
    with pytest.raises(argparse.ArgumentTypeError, match="is not K/N"):
        part(text)
