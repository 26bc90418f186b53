"""Orders: what a seed, or a number, makes of a list of tests. Pure.

Ranks come from keyed blake2b, not from a linear checksum such as crc32, under which
names like test_00 to test_19 see only a few of their orders. A rank depends on the seed
and the name alone, so the order of fewer tests is that of more tests, with gaps.

Every order keeps the kinds of tests in the sequence in which the user's own runner
keeps them (`SuiteTest.rank`): what fails only in an order that the user can't have is
nobody's failure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from ci_cache_isolation.running.suite import SuiteTest

__all__ = ["SuiteTest", "reverse", "shuffled", "twice"]


def shuffled(
    tests: Iterable[SuiteTest], seed: int, *, mixed: bool = False
) -> tuple[str, ...]:
    """Return the tests' ids in the order of a seed, groups kept together.

    ``mixed`` shuffles them one by one: no runner does so, but it is in such an order
    that tests of one class meet those of another in their midst.
    """
    keys: dict[tuple[str, ...], bytes] = {}

    def key(names: tuple[str, ...]) -> bytes:
        found = keys.get(names)
        if found is None:
            found = keys[names] = _key(seed, *names)
        return found

    def place(test: SuiteTest) -> tuple[object, ...]:
        levels = range(1, 1 if mixed else len(test.groups) + 1)
        above = (key(test.groups[:level]) for level in levels)
        return (test.rank, *above, _key(seed, test.id))

    return tuple(test.id for test in sorted(tests, key=place))


def reverse(tests: Iterable[SuiteTest], order: Sequence[str]) -> tuple[str, ...]:
    """Return an order turned round, as far as the ranks allow."""
    ranks = {test.id: test.rank for test in tests}
    turned = order[::-1]
    return tuple(sorted(turned, key=lambda test: ranks.get(test, 0)))


def twice(order: Iterable[str]) -> tuple[str, ...]:
    """Return an order in which each test runs twice in a row."""
    return tuple(test for test in order for _ in range(2))


def _key(seed: int, *names: str) -> bytes:
    text = "\0".join(names).encode(errors="surrogatepass")
    return hashlib.blake2b(text, key=str(seed).encode(), digest_size=16).digest()
