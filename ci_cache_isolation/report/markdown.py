"""A report as Markdown: one card for each cause, the surest first. Pure.

Ids, keys and messages are other people's. They stand in code, in which nothing means
anything, or as character references where they could end it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ci_cache_isolation.report.cards import (
    Card,
    Fact,
    Unjudged,
    cards,
    unjudged,
)
from ci_cache_isolation.report.counts import (
    advice,
    answer,
    covered,
    interrupted,
    needs_others,
    subject,
)
from ci_cache_isolation.report.documents import ConflictRow, Document
from ci_cache_isolation.report.meetings import Meeting
from ci_cache_isolation.report.words import counted, printable

__all__ = ["code", "summary"]

SHOWN_TESTS = 25
SHOWN_CONFLICTS = 100
_LONGEST = 300
_MARKUP = frozenset("<>&`|")


def summary(document: Document, limit: int | None = None) -> str:
    """Return a report as Markdown, of no more bytes than that.

    What is too much goes as a whole: first the conflicts, then the last cards. Where
    there is no room for the head nothing is left.
    """
    found, others = cards(document["findings"]), unjudged(document)
    blocks = [_head(document, len(found), len(others))]
    blocks += [_card(card, number) for number, card in enumerate(found, start=1)]
    if others:
        blocks.append(_others(others, needs_others(document)))
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


def _head(document: Document, causes: int, others: int) -> str:
    title, what = subject(document)
    text, _ = answer(document, causes, others)
    sums = [interrupted(document), covered(document), text, *advice(document)]
    if failure := document.get("failure"):
        sums.append(f"It ended early: {code(failure)}")
    remarks = [code(each) for each in document.get("remarks", ())]
    lines = [f"## {title}", _prose(what), *filter(None, sums), *remarks]
    return "\n\n".join(lines) + "\n"


def _prose(text: str) -> str:
    """Return a sentence of ours, in which a name may be hostile."""
    return "".join(f"&#{ord(each)};" if each in _MARKUP else each for each in text)


def _card(card: Card, number: int) -> str:
    heading = code(card.carrier or card.tests[0].test)
    lines = [f"### {number}. {card.verdict}: {heading}", ""]
    for each in card.tests[:SHOWN_TESTS]:
        lines.append(f"- {code(each.test)}: {each.title}")
        lines += _facts(each.facts, "  - ")
    if (more := len(card.tests) - SHOWN_TESTS) > 0:
        lines.append(f"- and {more} more, see the report")
    lines += _facts(card.facts, "- ")
    if card.replay:
        lines += ["", "See it fail:", "", _block(card.replay)]
    return "\n".join(lines) + "\n"


def _facts(facts: Sequence[Fact], indent: str) -> Iterator[str]:
    return (f"{indent}{line}" for fact in facts for line in fact.lines(code))


def _others(others: Sequence[Unjudged], what_it_means: str) -> str:
    lines = [f"### Not judged: {counted(len(others), 'test')}", ""]
    lines += _listed(
        [f"{code(each.test)}: {each.text}" for each in others], SHOWN_TESTS
    )
    if what_it_means:
        lines += ["", what_it_means]
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
    met = Meeting.of(conflict)
    texts = [code(met.what)]
    texts += [f"left by {code(met.left_by)}"] if met.left_by else []
    texts += [f"read by {code(met.read_by)}"] if met.read_by else []
    return "; ".join([*texts, *filter(None, [met.result])])


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
