"""Isolated against plain: the calls that came to something else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from ci_cache_isolation.probing.outcomes import Outcome

__all__ = ["Difference", "differences"]

_NOTHING = Outcome("", "no such call was made")
_TOLERANCE = 0.1
_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Difference:
    """A call that came to one thing isolated, and to another plainly.

    ``place`` says in which test of its suite. One of words is the same error or the
    same value, said or warned of in other words.
    """

    place: str
    call: str
    isolated: str
    plain: str
    is_of_words: bool = False

    def __str__(self) -> str:
        said = f"{self.call} gives {self.isolated}, plainly {self.plain}"
        return f"{self.place}: {said}" if self.place else said

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return {
            "place": self.place,
            "call": self.call,
            "isolated": self.isolated,
            "plain": self.plain,
        }


def differences(
    place: str, isolated: Sequence[Outcome], plain: Sequence[Outcome]
) -> list[Difference]:
    """Return the calls of one test that came to different things."""
    return [
        Difference(
            place,
            (one if one is not _NOTHING else other).call,
            str(one),
            str(other),
            is_of_words=_bare(one) == _bare(other),
        )
        for one, other in zip_longest(isolated, plain, fillvalue=_NOTHING)
        if not _are_alike(one, other)
    ]


def _bare(outcome: Outcome) -> tuple[str, str, str]:
    """Return what came of a call, without what was said about it."""
    kind, _, _ = outcome.error.partition(":")
    return outcome.call, outcome.value, kind


def _are_alike(one: Outcome, other: Outcome) -> bool:
    if one.about is None or other.about is None:
        return one == other
    nearly = max(_SECONDS, _TOLERANCE * abs(other.about))
    return (one.call, one.error) == (other.call, other.error) and (
        abs(one.about - other.about) <= nearly
    )
