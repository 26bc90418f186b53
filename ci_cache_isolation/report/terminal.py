"""A report on a terminal: of an audit, a stress run, or several that were merged."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from ci_cache_isolation.report.cards import Card, Fact, Unjudged, cards, unjudged
from ci_cache_isolation.report.counts import (
    advice,
    answer,
    covered,
    interrupted,
    needs_others,
)
from ci_cache_isolation.report.documents import Document
from ci_cache_isolation.report.meetings import Meeting, by_pattern
from ci_cache_isolation.report.words import (
    counted,
    located,
    printable,
)

__all__ = ["show"]

SHOWN_CARDS = 25
SHOWN_TESTS = 10
_STYLES = {"good": "bold green", "bad": "bold red", "warn": "bold yellow"}


def show(console: Console, document: Document, report: Path, resume: str = "") -> None:
    """Say what a report holds and what to do about it, the sum in the end.

    ``resume`` is the command that goes on where the run was interrupted.
    """
    say = _Said(console)
    for remark in document.get("remarks", ()):
        say(remark)
    if text := interrupted(document):
        say(text, "yellow")
    _not_tried(say, document)
    found, others = cards(document["findings"]), unjudged(document)
    what = "Leak" if document["command"] == "audit" else "Finding"
    for number, card in enumerate(found[:SHOWN_CARDS], start=1):
        _card(say, card, f"{what} {number} of {len(found)}")
    if (more := len(found) - SHOWN_CARDS) > 0:
        say("")
        say(f"And {more:,} more, see the report.")
    if others:
        _others(say, others, needs_others(document))
    say("")
    say(covered(document))
    text, mood = answer(document, len(found), len(others))
    say(text, _STYLES[mood])
    for text in advice(document):
        say(text)
    if "merged" in document and (failure := document.get("failure")):
        say(f"One of the runs ended early: {failure}", "bold red")
    say(located(report))
    if document["interrupted"] and resume:
        say(f"To go on from here: {resume}")


class _Said:
    """Says a line; ids and keys reach the terminal as text only."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def __call__(self, text: str, style: str = "") -> None:
        self._console.print(Text(printable(text), style), soft_wrap=True)

    def facts(self, facts: Sequence[Fact], indent: str) -> None:
        """Say what is known of a test, or of several."""
        for line in (line for fact in facts for line in fact.lines()):
            self(f"{indent}{line}")

    def more(self, all_of_them: Sequence[object], shown: int) -> None:
        """Say how many there are of which nothing was said."""
        if (number := len(all_of_them) - shown) > 0:
            self(f"  and {number:,} more, see the report")


def _card(say: _Said, card: Card, title: str) -> None:
    say("")
    say(f"{title}: {card.carrier or card.verdict}", "bold red")
    for each in card.tests[:SHOWN_TESTS]:
        say(f"  {each.test}: {each.title}", "bold")
        say.facts(each.facts, "    ")
    say.more(card.tests, SHOWN_TESTS)
    say.facts(card.facts, "  ")
    if card.replay:
        say("  See it fail, as it just did in a cold process:")
        say(f"    {card.replay}")


def _not_tried(say: _Said, document: Document) -> None:
    """List the conflicts of an audit that ended before it put them to the test."""
    is_tried = document.get("cost", {"runs": 1})["runs"] > 0
    if is_tried and not document["interrupted"] and not document.get("failure"):
        return
    conflicts = document["conflicts"]
    untested = [each for each in conflicts if each.get("result") == "untested"]
    groups = by_pattern(untested)
    if groups:
        say("Not put to the test:")
    for group in groups[:SHOWN_CARDS]:
        meeting = Meeting.of(*group)
        say(f"  {meeting.what}", "bold")
        say(f"    {meeting.how} by {meeting.left_by}")
        say(f"    read by {meeting.read_by}")
    say.more(groups, SHOWN_CARDS)


def _others(say: _Said, others: Sequence[Unjudged], what_it_means: str) -> None:
    verb = "was" if len(others) == 1 else "were"
    # Of an audit there is one thing to say of all.
    text = f"{others[0].text}," if what_it_means else "failed"
    say("")
    say(f"{counted(len(others), 'test')} {text} and {verb} not judged:", "bold red")
    for each in others[:SHOWN_CARDS]:
        say(f"  {each.test}")
        for text in filter(None, ("" if what_it_means else each.text, each.message)):
            say(f"    {text}")
    say.more(others, SHOWN_CARDS)
    if what_it_means:
        say(what_it_means)
