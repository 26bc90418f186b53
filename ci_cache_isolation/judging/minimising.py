"""From many tests to the few that change another's outcome, inside the observed order.

Nobody is moved: what stood between polluter and victim may matter, and the victim stays
the last. Long orders are what costs, so they are cut into pieces of √n tests: all of
these together take the time of one whole order, and several can run at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import combinations
from math import isqrt

from ci_cache_isolation.judging.searching import Order, Question

__all__ = ["all_changing", "first_changing", "needed_together"]

FEW = 24
"""So many are asked about one by one at once."""
_MOST_AT_ONCE = 8
_MOST_NEEDED = 6


def first_changing(question: Question, tests: Sequence[str]) -> list[Order]:
    """Return groups of which each changes the outcome, as soon as there is one."""
    if len(tests) <= _MOST_AT_ONCE:
        return [(test,) for test in question.one_by_one(tests)]
    # The nearest first: there is least between it and the test.
    left = list(_pieces(tests))[::-1]
    while left:
        changed = None
        with closing(question.answers(left)) as answers:
            for piece, answer in answers:
                left.remove(piece)
                if answer:
                    changed = piece
                    break
            else:
                return []
        if found := _in_piece(question, changed):
            return found
    return []


def all_changing(
    question: Question, tests: Sequence[str], *, both_ways: bool = False
) -> list[Order]:
    """Return all groups that change the outcome, as far as one run of each piece tells.

    ``both_ways`` runs each piece in reverse too: then somebody who cleans up hides
    those alone who stand between two of the kind in one piece.
    """
    if len(tests) <= FEW:
        return [(test,) for test in question.one_by_one(tests)]
    pieces = list(_pieces(tests))
    asked = {piece: piece for piece in pieces}
    if both_ways:
        asked |= {piece[::-1]: piece for piece in pieces}
    changed = {piece for piece, answer in question.answers(asked) if answer}
    single = question.one_by_one(
        test
        for piece in pieces
        if piece in changed or piece[::-1] in changed
        for test in piece
    )
    found: list[Order] = [(test,) for test in single]
    for piece in pieces:
        if piece in changed and not set(single) & set(piece):
            found += _in_piece(question, piece)
    return found


def needed_together(question: Question, tests: Sequence[str]) -> Order:
    """Return a smallest group out of tests that together change the outcome.

    The one that may come last is the first: the shortest end of the order that still
    changes the outcome begins with somebody who is needed. Then the same after it.
    Empty if there is none, or no time.
    """
    needed: Order = ()
    rest = _narrowed(question, tuple(tests))
    while not needed or not question.holds(needed):
        start = _latest_start(question, needed, rest)
        if start is None or len(needed) == _MOST_NEEDED:
            return ()
        needed, rest = (*needed, rest[start]), rest[start + 1 :]
    for test in needed:
        fewer = tuple(each for each in needed if each != test)
        if fewer and question.holds(fewer):
            needed = fewer
    return needed


def _narrowed(question: Question, tests: Order) -> Order:
    """Return a few tests that change the outcome, if two quarters at a time hold it.

    Where two are needed they are in two quarters at most, so the search goes on in half
    of the tests, at half of the price.
    """
    while len(tests) > 2 * FEW:
        size = -(-len(tests) // 4)
        quarters = [tests[at : at + size] for at in range(0, len(tests), size)]
        halves = [(*one, *other) for one, other in combinations(quarters, 2)]
        with closing(question.answers(halves)) as answers:
            half = next((half for half, answer in answers if answer), None)
        if half is None:
            return tests
        tests = half
    return tests


def _pieces(tests: Sequence[str]) -> Iterator[Order]:
    size = isqrt(len(tests))
    for start in range(0, len(tests), size):
        yield tuple(tests[start : start + size])


def _in_piece(question: Question, piece: Order) -> list[Order]:
    if found := question.one_by_one(piece):
        return [(test,) for test in found]
    group = needed_together(question, piece)
    return [group] if group else []


def _latest_start(question: Question, needed: Order, rest: Order) -> int | None:
    """Return the place of the shortest end that, after the needed, is enough."""
    short, long = 0, _growing(question, needed, rest)
    if long is None:
        return None
    while long - short > 1:
        third = max(1, (long - short) // 3)
        lengths = {short + third, min(short + 2 * third, long - 1)}
        groups = {(*needed, *rest[len(rest) - each :]): each for each in lengths}
        answers = {groups[group]: answer for group, answer in question.answers(groups)}
        if len(answers) < len(lengths):
            return None
        long = min([long, *(each for each, answer in answers.items() if answer)])
        short = max(
            [short, *(each for each in answers if each < long and not answers[each])]
        )
    return len(rest) - long


def _growing(question: Question, needed: Order, rest: Order) -> int | None:
    """Return a length at which the end of an order is enough: 1, 2, 4, …, all."""
    lengths = [1 << power for power in range(len(rest).bit_length())]
    lengths = [each for each in lengths if each < len(rest)] + [len(rest)] * bool(rest)
    groups = {(*needed, *rest[len(rest) - each :]): each for each in lengths}
    with closing(question.answers(groups)) as answers:
        for group, answer in answers:
            if answer:
                return groups[group]
    return None
