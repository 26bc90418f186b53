"""What a report found, a card for each cause, and what every page says of it. Pure.

Whatever shows a report reads these from ``report.json``. Ids, keys and messages in them
are other people's: each page escapes them as it has to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from ci_cache_isolation.judging.proofs import Verdict
from ci_cache_isolation.report.documents import (
    Document,
    EntryName,
    FailureRow,
    FindingRow,
    FunctionName,
    Name,
    RunRow,
    StateRow,
)
from ci_cache_isolation.report.words import (
    TITLES,
    counted,
    in_cache,
    made,
    remembers,
    together,
)

__all__ = ["Card", "Unjudged", "by_verdict", "cards", "carrying", "unjudged"]

_CERTAINTY = (
    *(Verdict.VICTIM, Verdict.BRITTLE, Verdict.SELF_POLLUTING),
    *(Verdict.CROSS_PROCESS, Verdict.BROKEN, Verdict.NON_DETERMINISTIC),
)
"""The surest first."""
_NAMED = 3
_FAILED = "failed in the audit's own run, with isolation"


@dataclass(frozen=True, slots=True)
class Card:
    """Findings of one cause: the same tests, the same line.

    ``findings`` are those of ``report.json``, of which the first tells what they have
    in common. ``names`` are the keys or the functions that carry it, ``alias`` the
    cache of these keys. ``replay`` is a command, where one was run.
    """

    verdict: Verdict
    findings: tuple[FindingRow, ...]
    names: tuple[str, ...]
    alias: str | None
    replay: str | None

    @property
    def first(self) -> FindingRow:
        """The one that speaks for all."""
        return self.findings[0]

    @property
    def titles(self) -> list[tuple[str, str]]:
        """Those that fail, each with what is said of it."""
        return [
            (each["test"], TITLES[Verdict(each["verdict"])]) for each in self.findings
        ]

    @property
    def tests(self) -> list[str]:
        """Those that fail."""
        return [each["test"] for each in self.findings]

    @property
    def relation(self) -> str:
        """What is said of those who do it, before their names."""
        return {
            Verdict.BRITTLE: "passes after",
            Verdict.CROSS_PROCESS: "fails while another process runs",
        }.get(self.verdict, "fails after")

    @property
    def carrier(self) -> str:
        """What carries it, and how many other keys do so too; nothing if unknown."""
        state = self.first["state"]
        if state is None:
            return ""
        first = self.names[0]
        more = f" and {len(self.names) - 1} more" if len(self.names) > 1 else ""
        if others := state.get("together"):
            return together(map(carrying, [state, *others]))
        if self.alias is None or (state.get("made") and not more):
            return carrying(state) + more
        return in_cache(f"{first!r}{more}", self.alias)

    @property
    def places(self) -> list[tuple[str, str]]:
        """Where it is stored and where it is read, each after its verb."""
        state = self.first["state"]
        if state is None:
            return []
        return [
            (
                f"{state.get('how') or 'written'} at",
                _place(state["written_at"], state.get("written_from")),
            ),
            ("read at", _place(state["read_at"], state.get("read_from"))),
        ]

    @property
    def causes(self) -> list[tuple[str, ...]]:
        """Who does it: any of these groups, of which all tests are needed together.

        None for a test that does it to itself.
        """
        itself = [self.first["test"]]
        return [tuple(group) for group in self.first["after"] if group != itself]

    @property
    def order(self) -> str:
        """What is said where only an order does it, and nobody alone."""
        before = self.first.get("order", 1) - 1
        by_others = self.verdict in {Verdict.VICTIM, Verdict.BRITTLE}
        if self.causes or not before or not by_others:
            return ""
        return (
            f"{self.relation} {counted(before, 'test')} in an order that shows it "
            "every time; none of them does it alone"
        )

    @property
    def proof(self) -> str:
        """How often it failed how, and whether isolation cures it."""
        proof, cures = self.first["proof"], self.first["isolation_cures"]
        text = f"failed alone {proof['alone']}"
        if self.verdict is Verdict.BROKEN:
            return f"{text}, and in every order"
        if same := proof.get("same_order"):
            failed, _, runs = same.partition("/")
            return (
                f"{text}; in the same order again {failed} of {runs} times: the order "
                "does not decide it"
            )
        after = {
            Verdict.SELF_POLLUTING: "after itself",
            Verdict.CROSS_PROCESS: "beside others",
        }.get(self.verdict, "after")
        for name, words in (
            ("after", after),
            ("isolated", "isolated"),
            ("reset", "memoised functions reset"),
        ):
            if times := proof.get(name):
                text += f", {words} {times}"
        if self.verdict is Verdict.BRITTLE and (isolated := proof.get("isolated")):
            # That it passes isolated too is no cure: it fails alone.
            carries = "no cache" if isolated == proof["after"] else "a cache"
            return f"{text}: {carries} carries what it needs"
        if cures is not None:
            text += f": isolation {'cures it' if cures else 'does not cure it'}"
        return text


@dataclass(frozen=True, slots=True)
class Unjudged:
    """A test that failed and has no verdict: in which runs, and what it said there."""

    test: str
    text: str
    message: str


def cards(findings: Sequence[FindingRow]) -> list[Card]:
    """Put findings together by cause, the surest and the largest first."""
    causes: dict[tuple[object, ...], list[FindingRow]] = {}
    for each in findings:
        after: object = frozenset(map(tuple, each["after"])) or each["test"]
        if each["verdict"] == Verdict.BROKEN and each.get("message"):
            # Many tests may lack the same thing.
            after = each["message"]
        at = each["state"] and each["state"]["written_at"]
        # An audit has told causes already: there is one count of them everywhere.
        own = each.get("cause")
        cause = (str(own),) if own is not None else (each["verdict"], after, at)
        causes.setdefault(cause, []).append(each)
    return sorted(
        map(_card, causes.values()),
        key=lambda card: (
            _CERTAINTY.index(card.verdict),
            card.first["state"] is None,
            -len(card.findings),
        ),
    )


def carrying(state: Name | StateRow) -> str:
    """Return what carries a failure: an entry of a cache, or a memoised function."""
    if "alias" in state:
        entry = cast("EntryName", state)
        key = entry["key"]
        return in_cache(made(key, entry.get("made", key)), entry["alias"])
    called = cast("FunctionName", state)
    return remembers(called["function"], called["written_at"] or "an unknown place")


def by_verdict(findings: Sequence[FindingRow]) -> list[tuple[Verdict, int, int]]:
    """Return how many tests have a verdict, and how many of them isolation cures."""
    rows = []
    for verdict in _CERTAINTY:
        cures = [
            each["isolation_cures"] for each in findings if each["verdict"] == verdict
        ]
        if cures:
            rows.append((verdict, len(cures), cures.count(True)))
    return rows


def _card(findings: Sequence[FindingRow]) -> Card:
    states = [each["state"] for each in findings if each["state"]]
    enough = [[each, *(group[0] for group in each.get("or", ()))] for each in states]
    names = (
        each["key"] if "key" in each else each["function"]
        for group in enough
        for each in group
    )
    return Card(
        Verdict(findings[0]["verdict"]),
        tuple(findings),
        tuple(dict.fromkeys(names)),
        states[0]["alias"] if states and "alias" in states[0] else None,
        next((each["replay"] for each in findings if each["replay"]), None),
    )


def _place(at: str | None, called: str | None) -> str:
    """Return where something was called, the test's own line after it."""
    at = at or "an unknown place"
    return f"{at}, called at {called}" if called and called != at else at


def unjudged(document: Document) -> list[Unjudged]:
    """Return the tests that failed and were not judged."""
    known = {each["test"] for each in document["findings"]}
    if document["command"] == "audit":
        failed = [test for run in document["runs"] for test in run["failed"]]
        tests = [Unjudged(test, _FAILED, "") for test in dict.fromkeys(failed)]
    else:
        runs = {run.get("index"): run for run in document["runs"]}
        tests = [_unjudged(each, runs) for each in document["failures"]]
    return [each for each in tests if each.test not in known]


def _unjudged(failure: FailureRow, runs: Mapping[int, RunRow]) -> Unjudged:
    test, failed_in = failure["test"], failure["failed_in"]
    of = counted(len(failed_in) + len(failure["passed_in"]), "run")
    seen = [runs[at] for at in failed_in if at in runs]
    names = ", ".join(each["name"] for each in seen[:_NAMED] if "name" in each)
    if names and len(seen) > _NAMED:
        names += f" and {len(seen) - _NAMED} more"
    text = f"failed in {len(failed_in)} of {of}"
    messages = (each.get("messages", {}).get(test) for each in seen)
    return Unjudged(
        test,
        f"{text}: {names}" if names else text,
        next(filter(None, messages), ""),
    )
