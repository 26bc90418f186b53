"""A report as one HTML file that needs nothing else: no script, no style, no network.

Django's templates escape what is in it. No name, key or message gets into an attribute,
and the page's own policy lets nothing run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ci_cache_isolation.judging.verdicts import Verdict
from ci_cache_isolation.report.cards import Card, cards, unjudged
from ci_cache_isolation.report.counts import (
    advice,
    answer,
    covered,
    interrupted,
    needs_others,
    subject,
)
from ci_cache_isolation.report.documents import Document, RunRow
from ci_cache_isolation.report.meetings import Meeting
from ci_cache_isolation.report.words import counted, printable

__all__ = ["page"]

SHOWN_OTHERS = 500
SHOWN_CONFLICTS = 1000
SHOWN_RUNS = 60
_FOLDER = Path(__file__).parent
_TEMPLATES = {
    "page": "report.html",
    **{name: f"{name}.html" for name in ("facts", "names", "tests")},
}


def page(document: Document) -> str:
    """Return a report of stress, of audit, or of several merged, as a page."""
    # Not before there is a report: the other commands don't need it.
    from django.template import Context, Engine  # noqa: PLC0415

    texts = {
        name: (_FOLDER / file).read_text("utf-8").strip()
        for name, file in _TEMPLATES.items()
    }
    engine = Engine(loaders=[("django.template.loaders.locmem.Loader", texts)])
    context = Context(_harmless(_shown(document)), use_l10n=False, use_tz=False)
    return f"{engine.get_template('page').render(context)}\n"


def _shown(document: Document) -> dict[str, Any]:
    found, others = cards(document["findings"]), unjudged(document)
    conflicts = document["conflicts"]
    title, what = subject(document)
    tool = document["tool"]
    return {
        "title": title,
        "what": what,
        **_answer(document, len(found), len(others)),
        "remarks": document.get("remarks", []),
        "cards": [_card(each) for each in found],
        "others": [asdict(each) for each in others[:SHOWN_OTHERS]],
        "more_others": _more(len(others) - SHOWN_OTHERS),
        "needs_others": needs_others(document),
        "matrix": _matrix(document),
        # An audit's is one ordinary run.
        "runs": [_run(each) for each in document["runs"] if "end" in each],
        "conflicts": [asdict(Meeting.of(each)) for each in conflicts[:SHOWN_CONFLICTS]],
        "number_of_conflicts": counted(len(conflicts), "conflict"),
        "more_conflicts": _more(len(conflicts) - SHOWN_CONFLICTS),
        "tool": f"{tool['name']} {tool['version']}",
    }


def _answer(document: Document, causes: int, others: int) -> dict[str, Any]:
    """Return what one looks for first, and the sentences below it."""
    text, mood = answer(document, causes, others)
    first, _, rest = text.partition(". ")
    sums = [interrupted(document), rest, covered(document), *advice(document)]
    if failure := document.get("failure"):
        sums.append(f"It ended early: {failure}")
    return {
        "answer": f"{first.rstrip('.')}.",
        "mood": mood,
        "verdict": first.rstrip("."),
        "sums": list(filter(None, sums)),
    }


def _card(card: Card) -> dict[str, Any]:
    return {
        "mood": _mood(card.verdict),
        "verdict": str(card.verdict),
        "carrier": card.carrier,
        "tests": [
            {
                "test": each.test,
                "title": each.title,
                "facts": [fact._asdict() for fact in each.facts],
            }
            for each in card.tests
        ],
        "facts": [fact._asdict() for fact in card.facts],
        "replay": card.replay,
    }


def _mood(verdict: Verdict) -> str:
    return "warn" if verdict.is_by_chance else "bad"


def _matrix(document: Document) -> dict[str, Any] | None:
    """Return what became of each test that failed in each run."""
    failures = document.get("failures", ())[:SHOWN_OTHERS]
    runs = document["runs"][:SHOWN_RUNS]
    if not failures or not runs:
        return None
    rows = []
    for each in failures:
        outcomes = dict.fromkeys(each["passed_in"], "passed")
        outcomes |= dict.fromkeys(each["failed_in"], "failed")
        cells = [outcomes.get(run["index"], "") for run in runs]
        rows.append({"test": each["test"], "cells": cells})
    more = len(document["runs"]) - len(runs) or len(document["failures"]) - len(rows)
    return {
        "runs": [_name(run) for run in runs],
        "rows": rows,
        "more": _more(more),
    }


def _run(run: RunRow) -> dict[str, str]:
    return {
        "name": _name(run),
        "cache": run["cache"],
        "seconds": f"{run['seconds']:.1f}",
        "passed": str(run.get("passed", "")),
        "skipped": str(run.get("skipped", "")),
        "failed": str(len(run["failed"])),
        "end": str(run.get("end", "")),
    }


def _name(run: RunRow) -> str:
    return str(run.get("name") or run["kind"])


def _more(number: int) -> str:
    return f"And {number:,} more: all of it is in report.json." if number > 0 else ""


def _harmless(value: Any) -> Any:
    """Return the same without characters that turn or end a line."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, Mapping):
        return {name: _harmless(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_harmless(each) for each in value]
    return value
