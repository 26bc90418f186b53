"""Orders: what a seed makes of a list of tests. Pure.

Ranks come from keyed blake2b, not from a linear checksum such as crc32, under which
names like test_00 to test_19 see only a few of their orders. A rank depends on the seed
and the name alone, so the order of fewer tests is that of more tests, with gaps.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = ["SuiteTest", "arranged", "shuffled"]


@dataclass(frozen=True, slots=True)
class SuiteTest:
    """A test by its runner's own id, and the groups that the runner keeps together.

    ``groups`` goes from the outermost (a module) to the innermost (a class).
    """

    id: str
    groups: tuple[str, ...] = ()


def shuffled(tests: Iterable[SuiteTest], seed: int) -> tuple[str, ...]:
    """Return the tests' ids in the order of a seed, groups kept together."""

    def rank(test: SuiteTest) -> tuple[bytes, ...]:
        prefixes = (test.groups[:length] for length in range(1, len(test.groups) + 1))
        return (*(_rank(seed, *prefix) for prefix in prefixes), _rank(seed, test.id))

    return tuple(test.id for test in sorted(tests, key=rank))


def arranged(ids: Sequence[str], order: Sequence[str]) -> list[int]:
    """Return the positions of ids in the sequence that an order puts them in.

    Ids that the order doesn't know stay behind the others, in their own sequence.
    """
    places = {test: place for place, test in enumerate(order)}
    return sorted(
        range(len(ids)), key=lambda position: places.get(ids[position], len(places))
    )


def _rank(seed: int, *names: str) -> bytes:
    text = "\0".join(names).encode(errors="surrogatepass")
    return hashlib.blake2b(text, key=str(seed).encode(), digest_size=16).digest()
