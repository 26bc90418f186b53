"""Which process this is, and ids that sort."""

from hypothesis import given
from hypothesis import strategies as st

from ci_cache_isolation import current_section
from ci_cache_isolation.isolation.process import (
    DIGITS,
    TOKEN_LENGTH,
    in_base,
    process_token,
)
from ci_cache_isolation.isolation.scopes import Scope, ScopeKind
from ci_cache_isolation.isolation.switch import STACK

BLOCK = Scope(ScopeKind.BLOCK, "of a test")


@given(number=st.integers(0, 36**7), length=st.integers(1, 8))
def test_a_number_can_be_read_back_from_its_digits(number, length):
    written = in_base(number, length)
    assert int(written, 36) == number
    assert len(written) >= length
    assert set(written) <= set(DIGITS)


@given(st.lists(st.integers(0, 36**6 - 1), min_size=2, max_size=5))
def test_numbers_sort_as_text_as_they_sort_as_numbers(numbers):
    written = [in_base(number, 6) for number in numbers]
    assert sorted(written) == [in_base(number, 6) for number in sorted(numbers)]


def test_a_process_keeps_its_token():
    assert process_token() == process_token()
    assert len(process_token()) == TOKEN_LENGTH
    assert set(process_token()) <= set(DIGITS)


def test_ids_of_sections_sort_in_the_order_of_their_creation():
    ids = []
    for _ in range(100):
        with STACK.opened(BLOCK):
            ids.append(current_section())
    assert ids == sorted(set(ids))


def test_ids_of_sections_are_short_and_plain():
    with STACK.opened(BLOCK):
        section = current_section()
    assert 0 < len(section) <= 12
    assert set(section) <= set(DIGITS)
