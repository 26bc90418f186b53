"""What may be the matter with a test, and what every report has to know of it."""

from __future__ import annotations

from typing import ClassVar, Self

__all__ = ["Verdict"]


class Verdict(str):
    """What is the matter with a test: a word, and one object for each word.

    Whoever has one more adds it with `add`. ``heading`` says what it means.
    ``relation`` stands before the names of those who do it, ``repeated`` before how
    often the test failed after them. ``is_by_others`` tells whether what runs before or
    beside the test decides, itself among them; ``is_by_chance`` that nothing is known
    to. Of two reports that differ the one with the larger ``weight`` is right.
    """

    __slots__ = (
        "heading",
        "is_by_chance",
        "is_by_others",
        "relation",
        "repeated",
        "weight",
    )

    VICTIM: ClassVar[Verdict]
    BRITTLE: ClassVar[Verdict]
    SELF_POLLUTING: ClassVar[Verdict]
    CROSS_PROCESS: ClassVar[Verdict]
    BROKEN: ClassVar[Verdict]
    NON_DETERMINISTIC: ClassVar[Verdict]

    known: ClassVar[dict[str, Verdict]] = {}
    """All there are by their words, the surest first."""

    heading: str
    relation: str
    repeated: str
    is_by_others: bool
    is_by_chance: bool
    weight: int

    def __new__(cls, word: str) -> Verdict:  # noqa: PYI034 - there is one of each
        """Return the verdict of a word; `ValueError` if there is none."""
        try:
            return cls.known[word]
        except (KeyError, TypeError):
            words = ", ".join(cls.known)
            raise ValueError(f"Expected one of {words}") from None

    @classmethod
    def add(  # noqa: PLR0913
        cls,
        word: str,
        meaning: str,
        *,
        relation: str = "fails after",
        repeated: str = "after",
        is_by_others: bool = True,
        is_by_chance: bool = False,
        weight: int = 1,
    ) -> Self:
        """Add a verdict and return it."""
        added = super().__new__(cls, word)
        added.heading = f"{word}, {meaning}"
        added.relation, added.repeated = relation, repeated
        added.is_by_others, added.is_by_chance = is_by_others, is_by_chance
        added.weight = weight
        cls.known[word] = added
        return added


Verdict.VICTIM = Verdict.add("victim", "passes alone and fails after others", weight=5)
Verdict.BRITTLE = Verdict.add(
    "brittle",
    "fails alone and passes after others",
    relation="passes after",
    weight=5,
)
Verdict.SELF_POLLUTING = Verdict.add(
    "self-polluting", "fails the second time", repeated="after itself", weight=4
)
Verdict.CROSS_PROCESS = Verdict.add(
    "cross-process",
    "fails while another process is live",
    relation="fails while another process runs",
    repeated="beside others",
    weight=3,
)
Verdict.BROKEN = Verdict.add("broken", "fails always", is_by_others=False)
Verdict.NON_DETERMINISTIC = Verdict.add(
    "non-deterministic",
    "fails by chance",
    is_by_others=False,
    is_by_chance=True,
    weight=2,
)
