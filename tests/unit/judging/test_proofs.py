"""What the numbers of a proof say."""

import pytest

from ci_cache_isolation.judging.judged import Cost
from ci_cache_isolation.judging.proofs import TIMES, Proof

CACHE = Proof(0, TIMES, 0)
MEMOISED = Proof(0, TIMES, TIMES, 0)
NEITHER = Proof(0, TIMES, TIMES, TIMES)
NOT_ISOLATED = Proof(0, TIMES)
BRITTLE = Proof(TIMES, 0, TIMES)


@pytest.mark.parametrize(
    ("proof", "is_of_caches", "is_of_memoised", "is_cured"),
    [
        (CACHE, True, False, True),
        (MEMOISED, False, True, False),
        (NEITHER, False, False, False),
        (NOT_ISOLATED, False, False, False),
        (BRITTLE, True, False, False),
    ],
)
def test_it_says_what_makes_the_difference(
    proof, is_of_caches, is_of_memoised, is_cured
):
    assert (proof.is_of_caches, proof.is_of_memoised) == (is_of_caches, is_of_memoised)
    assert proof.is_known is (is_of_caches or is_of_memoised)
    assert proof.is_cured is is_cured
    assert proof.is_steady


def test_what_came_out_now_so_and_now_so_is_not_steady():
    assert not Proof(1, TIMES).is_steady
    assert not Proof(TIMES, TIMES).is_steady


def test_a_cost_since_another_holds_what_was_added_and_what_was_shared():
    assert Cost(7, 2.5).since(Cost(4, 1.0), 5) == Cost(8, 1.5)
