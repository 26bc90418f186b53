"""Exact count of the ordered pairs of tests that a set of orders has shown. Pure."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any, Self

from ci_cache_isolation.stress.orders import SuiteTest

__all__ = ["CoverageError", "PairCount", "Pairs", "digest"]


_MOST = 100_000
"""More tests than that would not fit into memory."""


class CoverageError(ValueError):
    """Coverage that was recorded is not that of these tests, or can't be read."""


@dataclass(frozen=True, slots=True)
class PairCount:
    """How many ordered pairs there are, ran in that order, ran as neighbours.

    ``unreachable`` are those that the user's own runner never puts in that order.
    """

    total: int
    covered: int
    adjacent: int
    unreachable: int | None

    @property
    def reachable(self) -> int:
        """How many there are to cover."""
        return self.total - (self.unreachable or 0)


class Pairs:
    """One big integer a test: bit u of ``before[v]`` says that u ran before v.

    ``ranks`` are the kinds that the runner keeps in sequence, see `SuiteTest`. An order
    costs two operations on integers of as many bits as there are tests, for each test.
    """

    def __init__(self, tests: Sequence[str], ranks: Iterable[int] = ()) -> None:
        self._tests = tuple(tests)
        self._digest = digest(self._tests)
        self._sizes = sorted(Counter(ranks).items())
        self._bit = {test: 1 << place for place, test in enumerate(tests)}
        self._before = dict.fromkeys(tests, 0)
        self._next_before = dict.fromkeys(tests, 0)

    @classmethod
    def of(cls, tests: Sequence[SuiteTest]) -> Self:
        """Return none of the pairs of a suite."""
        return cls([test.id for test in tests], [test.rank for test in tests])

    def add(self, order: Sequence[str]) -> None:
        """Count an order that was run in one process; unknown tests are passed over."""
        seen = previous = 0
        for test in order:
            bit = self._bit.get(test)
            if bit is None:
                continue
            self._before[test] |= seen & ~bit
            self._next_before[test] |= previous & ~bit
            previous = bit
            seen |= bit

    def gain(self, *orders: Sequence[str]) -> tuple[int, int]:
        """Return how many pairs, and how many neighbours, these orders would add."""
        neighbours = {
            pair for order in orders for pair in pairwise(order) if self._is_new(*pair)
        }
        count = self.count()
        if count.covered >= count.reachable:
            return 0, len(neighbours)
        both = deepcopy(self)
        for order in orders:
            both.add(order)
        return both.count().covered - count.covered, len(neighbours)

    def _is_new(self, left: str, right: str) -> bool:
        bit = self._bit.get(left)
        return (
            bit is not None
            and left != right
            and right in self._next_before
            and not self._next_before[right] & bit
        )

    def count(self, *, both_ways: bool = False) -> PairCount:
        """Return the figures.

        ``both_ways``: an order and its reverse were added as the user's own runner
        sorted them, so what these two leave out is what it never puts in that order.
        Otherwise the ranks tell.
        """
        tests = len(self._tests)
        total = tests * (tests - 1)
        covered = sum(bits.bit_count() for bits in self._before.values())
        adjacent = sum(bits.bit_count() for bits in self._next_before.values())
        unreachable = sum(a * b for (_, a), (_, b) in combinations(self._sizes, 2))
        return PairCount(
            total, covered, adjacent, total - covered if both_ways else unreachable
        )

    def unite(self, other: Self) -> None:
        """Take over what another has counted for the same tests."""
        if (other._digest, len(other._tests)) != (self._digest, len(self._tests)):
            raise CoverageError("the pairs of different tests can't be united")
        for test, same in zip(self._tests, other._tests, strict=True):
            self._before[test] |= other._before[same]
            self._next_before[test] |= other._next_before[same]

    def to_json(self) -> dict[str, Any]:
        """Return it in a compact form: the bits, and what tells the tests apart."""
        return {
            "tests": len(self._tests),
            "ids": self._digest,
            "ranks": [list(each) for each in self._sizes],
            "before": self._packed(self._before),
            "next_before": self._packed(self._next_before),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any], tests: Sequence[str] = ()) -> Self:
        """Return what `to_json` gave.

        Without ``tests`` they go by numbers: enough to unite and to count. With them,
        they have to be the same, in the same sequence.
        """
        try:
            number, sizes = values["tests"], values["ranks"]
            if not 0 <= number <= _MOST or sum(size for _, size in sizes) > number:
                raise CoverageError(f"it is the coverage of {number} tests")
            numbered = [str(at) for at in range(number)]
            ranks = [rank for rank, size in sizes for _ in range(size)]
            pairs = cls(tests or numbered, ranks)
            is_same = not tests or pairs._digest == values["ids"]
            pairs._digest = str(values["ids"])
            pairs._unpack(pairs._before, values["before"])
            pairs._unpack(pairs._next_before, values["next_before"])
        except (KeyError, TypeError, ValueError, zlib.error) as error:
            raise CoverageError(f"{type(error).__name__}: {error}") from None
        if not is_same:
            raise CoverageError("it is the coverage of other tests")
        return pairs

    @property
    def _width(self) -> int:
        return (len(self._tests) + 7) // 8

    def _packed(self, bits: Mapping[str, int]) -> str:
        each = (bits[test].to_bytes(self._width, "little") for test in self._tests)
        return base64.b85encode(zlib.compress(b"".join(each), 9)).decode()

    def _unpack(self, bits: dict[str, int], packed: str) -> None:
        # Row by row: a few bytes can say a great many.
        unpacked, data = zlib.decompressobj(), base64.b85decode(packed)
        for test in self._tests:
            row = b""
            while len(row) < self._width and (
                piece := unpacked.decompress(data, self._width - len(row))
            ):
                row, data = row + piece, unpacked.unconsumed_tail
            if len(row) != self._width:
                raise CoverageError("it is the coverage of another number of tests")
            bits[test] = int.from_bytes(row, "little")
        if unpacked.decompress(data, 1):
            raise CoverageError("it is the coverage of another number of tests")


def digest(tests: Iterable[str]) -> str:
    """Return what tells one sequence of tests from another."""
    text = "\0".join(tests).encode(errors="surrogatepass")
    return hashlib.blake2b(text, digest_size=12).hexdigest()
