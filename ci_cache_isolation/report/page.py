"""A report as one HTML file that needs nothing else: no script, no style, no network.

Django's templates escape what is in it. No name, key or message gets into an attribute,
and the page's own policy lets nothing run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ci_cache_isolation.judging.proofs import Verdict
from ci_cache_isolation.report.cards import Card, by_verdict, cards, unjudged
from ci_cache_isolation.report.counts import (
    bounded,
    covered,
    cured,
    judged,
    met,
    subject,
)
from ci_cache_isolation.report.documents import (
    ConflictRow,
    Document,
    FindingRow,
    LeftRow,
    RunRow,
    SeenRow,
)
from ci_cache_isolation.report.words import (
    RESULTS,
    TITLES,
    counted,
    made,
    printable,
    together,
)

__all__ = ["page"]

SHOWN_TESTS = 5
"""The others of a card are below a fold."""
SHOWN_OTHERS = 500
SHOWN_CONFLICTS = 1000
SHOWN_RUNS = 60
_FOLDER = Path(__file__).parent
_TEMPLATES = {"page": "report.html", "names": "names.html"}


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
        **_answer(document, found, len(others)),
        "remarks": document.get("remarks", []),
        "tiles": _tiles(document["findings"]),
        "cards": [_card(each) for each in found],
        "others": [asdict(each) for each in others[:SHOWN_OTHERS]],
        "more_others": _more(len(others) - SHOWN_OTHERS),
        "matrix": _matrix(document),
        # An audit's is one ordinary run.
        "runs": [_run(each) for each in document["runs"] if "end" in each],
        "conflicts": [_conflict(each) for each in conflicts[:SHOWN_CONFLICTS]],
        "number_of_conflicts": counted(len(conflicts), "conflict"),
        "more_conflicts": _more(len(conflicts) - SHOWN_CONFLICTS),
        "tool": f"{tool['name']} {tool['version']}",
    }


def _answer(document: Document, found: Sequence[Card], others: int) -> dict[str, Any]:
    """Return what one looks for first, and the sentences below it."""
    is_audit = document["command"] == "audit"
    sums = [met(document, len(found)) if is_audit else covered(document)]
    sums += [] if is_audit else [cured(document)]
    if document["interrupted"]:
        sums.append("It was interrupted: this is what was known until then.")
    if failure := document.get("failure"):
        sums.append(f"It ended early: {failure}")
    clean = "" if is_audit else bounded(document)
    answer, mood = judged(document), "bad"
    if not found and others:
        answer = f"{counted(others, 'test')} failed."
    elif not found:
        answer, mood = "No leak was proved." if is_audit else clean, "good"
        answer, end, rest = answer.partition(". ")
        answer += end.strip()
        sums.insert(0, rest)
        if is_audit and not document["complete"]:
            answer, mood = f"{answer[:-1]}, but not all was put to the test.", "warn"
        if not answer:
            answer, mood = "It is not known: no run came to its end.", "warn"
    return {
        "answer": answer,
        "mood": mood,
        "verdict": answer.partition(". ")[0].rstrip("."),
        "sums": list(filter(None, sums)),
    }


def _tiles(findings: Sequence[FindingRow]) -> list[dict[str, Any]]:
    return [
        {
            "number": str(tests),
            "verdict": str(verdict),
            "mood": _mood(verdict),
            "cured": f"isolation cures {cured}" if cured else "",
        }
        for verdict, tests, cured in by_verdict(findings)
    ]


def _card(card: Card) -> dict[str, Any]:
    return {
        "mood": _mood(card.verdict),
        "verdict": str(card.verdict),
        "title": TITLES[card.verdict].partition(", ")[2],
        "carrier": card.carrier,
        "tests": _names(card.tests),
        "order": card.order,
        "relation": card.relation,
        "causes": _names([together(group) for group in card.causes]),
        "places": card.places,
        "proof": card.proof,
        "message": card.first.get("message", ""),
        "cleaners": _names(card.first["cleaners"]),
        "replay": card.replay,
    }


def _names(names: Sequence[str]) -> dict[str, Any] | None:
    if not names:
        return None
    more = names[SHOWN_TESTS:]
    return {
        "shown": names[:SHOWN_TESTS],
        "more": more,
        "number_of_more": f"and {len(more)} more",
    }


def _mood(verdict: Verdict) -> str:
    return "warn" if verdict is Verdict.NON_DETERMINISTIC else "bad"


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


def _conflict(conflict: ConflictRow) -> dict[str, str]:
    return {
        "key": made(conflict["key"], made_key)
        if (made_key := conflict.get("made"))
        else conflict["key"],
        "alias": conflict["alias"] or "",
        "left": _side(conflict["left_by"]),
        "seen": _side(conflict["seen_by"]),
        "result": RESULTS.get(str(conflict.get("result")), ""),
    }


def _side(side: Sequence[LeftRow] | Sequence[SeenRow]) -> str:
    if not side:
        return ""
    more = f" and {len(side) - 1} more" if len(side) > 1 else ""
    return f"{side[0]['test']} at {side[0]['at']}{more}"


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
