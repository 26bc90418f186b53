"""What a stress run came to, or several that were merged, on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from ci_cache_isolation.report.cards import Card, Unjudged, cards, unjudged
from ci_cache_isolation.report.counts import bounded, covered, cured, judged
from ci_cache_isolation.report.documents import Document
from ci_cache_isolation.report.words import (
    counted,
    located,
    printable,
    together,
)

__all__ = ["show"]

SHOWN_TESTS = 25
SHOWN_GROUPS = 5


def show(console: Console, document: Document, report: Path, resume: str = "") -> None:
    """Say what a report holds and what to do about it, the sum in the end.

    ``resume`` is the command that goes on where the run was interrupted.
    """
    say = _Said(console)
    for remark in document["remarks"]:
        say(remark)
    if document["interrupted"]:
        what = "One of the reports was interrupted: it holds"
        if "merged" not in document:
            what = "Interrupted: what follows is"
        say(f"{what} what was known until then.", "yellow")
    found = cards(document["findings"])
    for card in found[:SHOWN_TESTS]:
        _card(say, card)
    if len(found) > SHOWN_TESTS:
        say(f"And {len(found) - SHOWN_TESTS} more, see the report.")
    if others := unjudged(document):
        _others(say, others)
    _sums(say, document)
    say(located(report))
    if document["interrupted"] and resume:
        say(f"To go on from here: {resume}")


def _sums(say: _Said, document: Document) -> None:
    if document["runs"]:
        say("")
        say(covered(document))
    for text, style in (
        (judged(document), "bold red"),
        (cured(document), ""),
        (bounded(document), "bold green"),
    ):
        if text:
            say(text, style)
    if "merged" in document and document["failure"]:
        say(f"One of the runs ended early: {document['failure']}", "bold red")


class _Said:
    """Says a line; ids reach the terminal as text only."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def __call__(self, text: str, style: str = "") -> None:
        self._console.print(Text(printable(text), style), soft_wrap=True)

    def listed(self, texts: Sequence[str], shown: int, style: str = "") -> None:
        """Say the first of several."""
        for each in texts[:shown]:
            self(each, style)
        if len(texts) > shown:
            self(f"  and {len(texts) - shown} more, see the report")


def _card(say: _Said, card: Card) -> None:
    say("")
    titles = [f"{test}: {title}" for test, title in card.titles]
    say.listed(titles, SHOWN_TESTS, "bold red")
    if card.order:
        say(f"  {card.order}")
    say.listed(
        [f"  {card.relation} {together(group)}" for group in card.causes], SHOWN_GROUPS
    )
    if card.carrier:
        say(f"  {card.carrier}")
    for verb, place in card.places:
        say(f"    {verb} {place}")
    say(f"  {card.proof}")
    if message := card.first.get("message"):
        say(f"  {message}")
    if cleaners := card.first["cleaners"]:
        first, *others = cleaners[:SHOWN_GROUPS]
        say(f"  hidden when one of these runs between: {first}")
        for each in others:
            say(f"    {each}")
    if card.replay:
        say("  See it fail, as it just did in a cold process:")
        say(f"    {card.replay}")


def _others(say: _Said, others: Sequence[Unjudged]) -> None:
    say("")
    verb = "was" if len(others) == 1 else "were"
    say(f"{counted(len(others), 'test')} failed and {verb} not judged:", "bold red")
    for each in others[:SHOWN_TESTS]:
        say(f"  {each.test}")
        for text in filter(None, (each.text, each.message)):
            say(f"    {text}")
    if len(others) > SHOWN_TESTS:
        say(f"  and {len(others) - SHOWN_TESTS} more, see the report")
