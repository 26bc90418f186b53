"""What a report found, a card for each cause, and what every page says of it. Pure.

Whatever shows a report reads these from ``report.json``. Ids, keys and messages in them
are other people's: each page escapes them as it has to.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

from ci_cache_isolation.evidence.patterns import pattern_of
from ci_cache_isolation.judging.verdicts import Verdict
from ci_cache_isolation.report.documents import (
    Document,
    FailureRow,
    FindingRow,
    Name,
    RunRow,
    StateRow,
)
from ci_cache_isolation.report.words import (
    called_at,
    counted,
    in_cache,
    made,
    remembers,
    several,
    together,
)

__all__ = [
    "Card",
    "Fact",
    "Told",
    "Unjudged",
    "cards",
    "carrying",
    "unjudged",
]

SHOWN_NAMES = 5
_NAMED = 3
_FAILED = "failed in the audit's own run, with isolation"


class Fact(NamedTuple):
    """Something that is known of a test: words of ours around each of some names."""

    before: str
    names: tuple[str, ...] = ()
    after: str = ""

    def lines(self, shown: Callable[[str], str] = str) -> list[str]:
        """Return a line for each of the first names, as ``shown`` escapes them."""
        lines = [
            " ".join(filter(None, [self.before, shown(name), self.after]))
            for name in self.names[:SHOWN_NAMES]
        ]
        if (more := len(self.names) - SHOWN_NAMES) > 0:
            lines.append(f"and {more:,} more, see the report")
        return lines or [self.before]


@dataclass(frozen=True, slots=True)
class Told:
    """A test that was judged, with what is said of it, and what others don't share."""

    test: str
    title: str
    replay: str | None
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """Findings of one cause. ``facts`` are those that are common to all its tests.

    ``carrier`` is what carries it, as far as that is known. ``replay`` is a command,
    where one was run.
    """

    verdict: Verdict
    carrier: str
    tests: tuple[Told, ...]
    facts: tuple[Fact, ...]
    replay: str | None
    findings: tuple[FindingRow, ...]

    @classmethod
    def of(cls, findings: Sequence[FindingRow]) -> Self:
        """Return the card of findings, of which the first speaks for all."""
        known = [_facts(each) for each in findings]
        common = [fact for fact in known[0] if all(fact in each for each in known)]
        told = [
            Told(
                each["test"],
                Verdict(each["verdict"]).heading,
                each["replay"],
                tuple(fact for fact in facts if fact not in common),
            )
            for each, facts in zip(findings, known, strict=True)
        ]
        return cls(
            Verdict(findings[0]["verdict"]),
            _carrier(findings),
            tuple(told),
            tuple(common),
            next((each.replay for each in told if each.replay), None),
            tuple(findings),
        )


def _facts(finding: FindingRow) -> list[Fact]:
    """Return who does it, where, how often it failed how, and what hides it."""
    test, verdict = finding["test"], Verdict(finding["verdict"])
    relation = verdict.relation
    # It may do it to itself.
    groups = [together(group) for group in finding["after"] if group != [test]]
    facts = []
    before = finding.get("order", 1) - 1
    if groups:
        facts.append(Fact(relation, tuple(groups)))
    elif before and verdict in {Verdict.VICTIM, Verdict.BRITTLE}:
        facts.append(
            Fact(
                f"{relation} {counted(before, 'test')} in an order that shows it every "
                "time; none of them does it alone"
            )
        )
    state = _state(finding)
    if state and state["kind"] == "state":
        facts += _left(state)
    elif state:
        written = called_at(state["written_at"], state.get("written_from"))
        read = called_at(state["read_at"], state.get("read_from"))
        facts.append(Fact(f"{state.get('how') or 'written'} at", (written,)))
        facts.append(Fact("read at", (read,)))
        seconds = state.get("expires_in")
        if seconds is not None:
            facts.append(
                Fact(
                    f"expires {seconds:.3g} s after that test: whether another one "
                    "meets it is a matter of time"
                )
            )
    facts.append(Fact(_proof(finding)))
    if message := finding.get("message"):
        facts.append(Fact("", (message,)))
    if cleaners := finding["cleaners"]:
        facts.append(Fact("hidden when", tuple(cleaners), "runs between"))
    return facts


def _left(state: StateRow) -> list[Fact]:
    """Return where something else than a cache was changed, and what was seen of it."""
    how = state.get("how") or "changed"
    facts = []
    if written := state["written_at"]:
        facts.append(Fact(f"{how} at", (written,)))
    was, became = state["was"], state["became"]
    if was != became:
        facts.append(Fact(f"it was {was} before, and {became} after"))
    if cure := state.get("cure"):
        names = ", ".join(map(repr, cure))
        facts.append(Fact(f"put back by isolate(CACHES, state=[{names}])"))
    return facts


def _carrier(findings: Sequence[FindingRow]) -> str:
    """Return what carries it, and how many other keys are enough to do so."""
    state = _state(findings[0])
    if state is None:
        return ""
    names = dict.fromkeys(
        _key(group[0])
        for each in findings
        if (found := _state(each))
        for group in ([found], *found.get("or", ()))
    )
    if others := state.get("together"):
        text = together(map(carrying, [state, *others]))
    elif len(names) == 1:
        text = carrying(state)
    elif state["kind"] == "state":
        text = several(list(names))
    elif "alias" in state:
        text = in_cache(several(list(names)), state["alias"])
    else:
        text = f"{carrying(state)} and {len(names) - 1} more"
    if findings[0]["state"] is None:
        text += ", or something else that these tests have in common"
    return text


def _proof(finding: FindingRow) -> str:
    """Return how often it failed how, and whether isolation cures it."""
    proof, cures = finding["proof"], finding["isolation_cures"]
    text = f"failed alone {proof['alone']}"
    if finding["verdict"] == Verdict.BROKEN:
        return f"{text}, and in every order"
    if same := proof.get("same_order"):
        failed, _, runs = same.partition("/")
        return (
            f"{text}; in the same order again {failed} of {runs} times: the order does "
            "not decide it"
        )
    for name, words in (
        ("after", Verdict(finding["verdict"]).repeated),
        ("isolated", "isolated"),
        ("reset", "memoised functions reset"),
    ):
        if times := proof.get(name):
            text += f", {words} {times}"
    isolated = proof.get("isolated")
    if finding["verdict"] == Verdict.BRITTLE and isolated:
        # That it passes isolated too is no cure: it fails alone.
        carries = "no cache" if isolated == proof["after"] else "a cache"
        return f"{text}: {carries} carries what it needs"
    state = _state(finding)
    if times := state and state.get("put_back"):
        text += f", with that put back {times}"
    if cures is not None:
        text += f": isolation {'cures it' if cures else 'does not cure it'}"
    if state and state.get("cure"):
        text += ", what puts it back does"
    return text


@dataclass(frozen=True, slots=True)
class Unjudged:
    """A test that failed and has no verdict: in which runs, and what it said there."""

    test: str
    text: str
    message: str


def cards(findings: Iterable[FindingRow]) -> list[Card]:
    """Put findings together by cause, the surest and the largest first."""
    rows, certainty = list(findings), list(Verdict.known)
    groups: dict[Hashable, tuple[list[Hashable], list[int]]] = {}
    for at, finding in enumerate(rows):
        causes, members = _causes(finding), [at]
        known = {id(groups[each]): groups[each] for each in causes if each in groups}
        # One that has two causes makes them one.
        for others, earlier in known.values():
            causes = list(dict.fromkeys([*causes, *others]))
            members += earlier
        groups |= dict.fromkeys(causes, (causes, members))
    distinct = {id(members): members for _, members in groups.values()}
    return sorted(
        (Card.of([rows[at] for at in sorted(each)]) for each in distinct.values()),
        key=lambda card: (
            certainty.index(card.verdict),
            not card.carrier,
            -len(card.findings),
        ),
    )


def _causes(finding: FindingRow) -> list[Hashable]:
    """Return what a finding has in common with others that one change would fix.

    What the same tests leave at one line is one cause, and so is what any tests leave
    at one line under keys of one pattern.
    """
    after: Hashable = frozenset(map(tuple, finding["after"])) or finding["test"]
    if finding["verdict"] == Verdict.BROKEN and finding.get("message"):
        # Many tests may lack the same thing.
        after = finding["message"]
    state = _state(finding)
    if state is not None and state["kind"] == "state":
        return [(after, state["name"])]
    if state is None or state["written_at"] is None:
        return [(finding["verdict"], after)]
    at = state["written_at"]
    if "alias" not in state:
        return [(after, at)]
    pattern = pattern_of(state.get("made", state["key"]))
    return [(after, at), (state["alias"], pattern, at)]


def _state(finding: FindingRow) -> StateRow | None:
    """Return what carries it, or else what the tests are known to have in common."""
    return finding["state"] or finding.get("suspected")


def _key(name: Name | StateRow) -> str:
    return str(name.get("key") or name.get("function") or name.get("name"))


def carrying(state: Name | StateRow) -> str:
    """Return what carries a failure: an entry of a cache, or a memoised function."""
    if "alias" in state:
        key = state["key"]
        return in_cache(made(key, state.get("made", key)), state["alias"])
    if "name" in state:
        return state["name"]
    return remembers(state["function"], state.get("written_at") or "an unknown place")


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
