"""A report as Markdown: one card for each cause, the surest first. Pure.

Ids, keys and messages are other people's. They stand in code, in which nothing means
anything, or as character references where they could end it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ci_cache_isolation.report.cards import Card, by_verdict, cards, unjudged
from ci_cache_isolation.report.counts import (
    bounded,
    covered,
    cured,
    judged,
    met,
    subject,
)
from ci_cache_isolation.report.documents import ConflictRow, Document, LeftRow, SeenRow
from ci_cache_isolation.report.words import RESULTS, TITLES, counted, printable

__all__ = ["code", "summary"]

SHOWN_TESTS = 25
SHOWN_GROUPS = 5
SHOWN_CONFLICTS = 100
_LONGEST = 300
_MARKUP = frozenset("<>&`|")
_A_TABLE = 2


def summary(document: Document, limit: int | None = None) -> str:
    """Return a report as Markdown, of no more bytes than that.

    What is too much goes as a whole: first the conflicts, then the last cards. Where
    there is no room for the head nothing is left.
    """
    found = cards(document["findings"])
    blocks = [_head(document, len(found))]
    blocks += [_card(card, number) for number, card in enumerate(found, start=1)]
    if others := _others(document):
        blocks.append(others)
    number = len(blocks) - 1
    if conflicts := _conflicts(document):
        blocks.append(conflicts)
    whole = "\n".join(blocks)
    if limit is None or _size(whole) <= limit:
        return whole
    kept, left = [], limit - _size(_more(number))
    for block in blocks[: number + 1]:
        if (left := left - _size(block) - 1) < 0:
            break
        kept.append(block)
    if not kept:
        return ""
    return "\n".join([*kept, _more(number + 1 - len(kept))])


def code(text: str) -> str:
    """Return text as inline code that nothing in it can end, not too long."""
    text = printable(text)
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}…"
    if text and text == text.strip() and not _MARKUP & set(text):
        return f"`{text}`"
    return f"<code>{_referenced(text)}</code>"


def _block(text: str) -> str:
    """Return a command as a block of code, whole, since it is there to be copied."""
    text = printable(text)
    if _MARKUP & set(text):
        return f"<pre><code>{_referenced(text)}</code></pre>"
    return f"```sh\n{text}\n```"


def _referenced(text: str) -> str:
    return "".join(
        each if each.isalnum() or not each.isascii() else f"&#{ord(each)};"
        for each in text
    )


def _head(document: Document, leaks: int) -> str:
    title, what = subject(document)
    if document["command"] == "audit":
        sums = [met(document, leaks)]
    else:
        sums = [covered(document), judged(document)]
        sums += [_verdicts(document), cured(document), bounded(document)]
    if document["interrupted"]:
        sums.append("It was interrupted: this is what was known until then.")
    if failure := document.get("failure"):
        sums.append(f"It ended early: {code(failure)}")
    remarks = [code(each) for each in document.get("remarks", ())]
    lines = [f"## {title}", _prose(what), *filter(None, sums), *remarks]
    return "\n\n".join(lines) + "\n"


def _prose(text: str) -> str:
    """Return a sentence of ours, in which a name may be hostile."""
    return "".join(f"&#{ord(each)};" if each in _MARKUP else each for each in text)


def _verdicts(document: Document) -> str:
    """Return a table of the verdicts, where there is more than one."""
    rows = by_verdict(document["findings"])
    if len(rows) < _A_TABLE:
        return ""
    lines = ["| verdict | tests | isolation cures |", "|---|---:|---:|"]
    lines += [
        f"| {TITLES[verdict]} | {tests} | {cured} |" for verdict, tests, cured in rows
    ]
    return "\n".join(lines)


def _card(card: Card, number: int) -> str:
    heading = _carrier(card) or code(card.tests[0])
    lines = [f"### {number}. {card.verdict}: {heading}", ""]
    titles = [f"{code(test)}: {title}" for test, title in card.titles]
    lines += _listed(titles, SHOWN_TESTS)
    if card.order:
        lines.append(f"- {card.order}")
    lines += _listed(
        [
            f"{card.relation} {' together with '.join(map(code, group))}"
            for group in card.causes
        ],
        SHOWN_GROUPS,
    )
    if card.places:
        places = ", ".join(f"{verb} {code(place)}" for verb, place in card.places)
        lines.append(f"- {places}")
    lines.append(f"- {card.proof}")
    if message := card.first.get("message"):
        lines.append(f"- {code(message)}")
    lines += _listed(
        [f"hidden when {code(test)} runs between" for test in card.first["cleaners"]],
        SHOWN_GROUPS,
    )
    if card.replay:
        lines += ["", "See it fail:", "", _block(card.replay)]
    return "\n".join(lines) + "\n"


def _carrier(card: Card) -> str:
    """Return what carries a failure, and how many other keys do so too."""
    if not card.names:
        return ""
    text = code(card.names[0])
    state = card.first["state"]
    if state and (
        state.get("together") or (state.get("made") and len(card.names) == 1)
    ):
        return code(card.carrier)
    if len(card.names) > 1:
        text += f" and {len(card.names) - 1} more"
    return text if card.alias is None else f"{text} in cache {code(card.alias)}"


def _others(document: Document) -> str:
    others = unjudged(document)
    if not others:
        return ""
    lines = [f"### Not judged: {counted(len(others), 'test')}", ""]
    lines += _listed(
        [f"{code(each.test)}: {each.text}" for each in others], SHOWN_TESTS
    )
    return "\n".join(lines) + "\n"


def _conflicts(document: Document) -> str:
    """Return all conflicts below the fold, for those who want to look."""
    conflicts = document["conflicts"]
    if not conflicts:
        return ""
    number = counted(len(conflicts), "conflict")
    lines = ["<details>", f"<summary>{number}</summary>", ""]
    lines += _listed([_conflict(each) for each in conflicts], SHOWN_CONFLICTS)
    return "\n".join([*lines, "", "</details>"]) + "\n"


def _conflict(conflict: ConflictRow) -> str:
    text = code(conflict["key"])
    if key := conflict.get("made"):
        text += f" (key {code(key)})"
    if conflict["alias"]:
        text += f" in cache {code(conflict['alias'])}"
    sides: list[tuple[str, Sequence[LeftRow] | Sequence[SeenRow]]] = [
        ("left by", conflict["left_by"]),
        ("read by", conflict["seen_by"]),
    ]
    for verb, side in sides:
        if side:
            first, *others = side
            text += f"; {verb} {code(first['test'])} at {code(first['at'])}"
            text += f" and {len(others)} more" if others else ""
    if result := RESULTS.get(str(conflict.get("result"))):
        text += f"; {result}"
    return text


def _listed(items: Sequence[str], shown: int) -> Iterator[str]:
    for each in items[:shown]:
        yield f"- {each}"
    if len(items) > shown:
        yield f"- and {len(items) - shown} more, see the report"


def _more(number: int) -> str:
    return (
        f"And {number} more: all of it is in the report."
        if number
        else ("The conflicts are in the report.")
    )


def _size(text: str) -> int:
    return len(text.encode()) + 1
