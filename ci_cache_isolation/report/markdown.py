"""A report as Markdown: one card for each cause, the surest first. Pure.

Ids, keys and messages are other people's. They stand in code, in which nothing means
anything, or as character references where they could end it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ci_cache_isolation.audit.proofs import Verdict
from ci_cache_isolation.report.counts import bounded, covered, judged, met
from ci_cache_isolation.report.words import TITLES, counted, printable

__all__ = ["by_cause", "code", "summary"]

Document = Mapping[str, Any]

SHOWN_TESTS = 25
SHOWN_GROUPS = 5
SHOWN_CONFLICTS = 100
_LONGEST = 300
_MARKUP = frozenset("<>&`|")
_CERTAINTY = (
    *(Verdict.VICTIM, Verdict.BRITTLE, Verdict.SELF_POLLUTING),
    *(Verdict.CROSS_PROCESS, Verdict.BROKEN, Verdict.NON_DETERMINISTIC),
)


def summary(document: Document, limit: int | None = None) -> str:
    """Return a report as Markdown, of no more bytes than that.

    What is too much goes as a whole: first the conflicts, then the last cards. Where
    there is no room for the head nothing is left.
    """
    causes = by_cause(document["findings"])
    blocks = [_head(document, len(causes))]
    blocks += [_card(group, number) for number, group in enumerate(causes, start=1)]
    if others := _not_judged(document):
        blocks.append(others)
    cards = len(blocks) - 1
    if conflicts := _conflicts(document):
        blocks.append(conflicts)
    whole = "\n".join(blocks)
    if limit is None or _size(whole) <= limit:
        return whole
    kept, left = [], limit - _size(_more(cards))
    for block in blocks[: cards + 1]:
        if (left := left - _size(block) - 1) < 0:
            break
        kept.append(block)
    if not kept:
        return ""
    return "\n".join([*kept, _more(cards + 1 - len(kept))])


def by_cause(findings: Sequence[Document]) -> list[list[Document]]:
    """Put together what the same tests cause at the same line, the surest first."""
    causes: dict[tuple[object, ...], list[Document]] = {}
    for each in findings:
        after = tuple(map(tuple, each["after"])) or each["test"]
        at = each["state"] and each["state"]["written_at"]
        causes.setdefault((each["verdict"], after, at), []).append(each)
    return sorted(
        causes.values(),
        key=lambda group: (
            _CERTAINTY.index(Verdict(group[0]["verdict"])),
            group[0]["state"] is None,
            -len(group),
        ),
    )


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
    runner = document["suite"]["runner"]
    if document["command"] == "audit":
        title = "Cache audit"
        what = f"Audit with {runner}: one ordinary run, caches isolated."
        sums = [met(document, leaks)]
    else:
        title = "Stress"
        caches = {run["cache"] for run in document["runs"]}
        what = f"Stress with {runner}, caches {' and '.join(sorted(caches))}"
        if document.get("seed") is not None:
            what += f", seed {document['seed']}"
        if document.get("shard") not in {None, "1/1"}:
            what += f", shard {document['shard']}"
        what += "."
        sums = [covered(document), judged(document), bounded(document)]
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


def _card(findings: Sequence[Document], number: int) -> str:
    first = findings[0]
    verdict = Verdict(first["verdict"])
    heading = _carrier(findings) or code(first["test"])
    lines = [f"### {number}. {verdict}: {heading}", ""]
    lines += _listed(
        [f"{code(each['test'])}: {TITLES[verdict]}" for each in findings], SHOWN_TESTS
    )
    lines += _listed(
        [f"{_word(verdict)} {_together(group)}" for group in first["after"]],
        SHOWN_GROUPS,
    )
    if state := first["state"]:
        lines.append(
            f"- written at {code(state['written_at'] or 'an unknown place')}, "
            f"read at {code(state['read_at'] or 'an unknown place')}"
        )
    lines.append(f"- {_proof(first)}")
    if message := first.get("message"):
        lines.append(f"- {code(message)}")
    lines += _listed(
        [f"hidden when {code(test)} runs between" for test in first["cleaners"]],
        SHOWN_GROUPS,
    )
    replay = next((each["replay"] for each in findings if each["replay"]), None)
    if replay:
        lines += ["", "See it fail:", "", _block(replay)]
    return "\n".join(lines) + "\n"


def _carrier(findings: Sequence[Document]) -> str:
    """Return what carries a failure, and how many other keys do so too."""
    states = [each["state"] for each in findings if each["state"]]
    names = list(
        dict.fromkeys(str(each.get("key", each.get("function", ""))) for each in states)
    )
    if not names:
        return ""
    text = code(names[0])
    if len(names) > 1:
        text += f" and {len(names) - 1} more"
    if (alias := states[0].get("alias")) is not None:
        text += f" in cache {code(alias)}"
    return text


def _word(verdict: Verdict) -> str:
    return {
        Verdict.BRITTLE: "passes after",
        Verdict.CROSS_PROCESS: "fails while another process runs",
    }.get(verdict, "fails after")


def _together(group: Sequence[str]) -> str:
    return " together with ".join(map(code, group))


def _proof(finding: Document) -> str:
    words = {"same_order": "in the same order"}
    text = "failed " + ", ".join(
        f"{words.get(name, name)} {times}"
        for name, times in finding["proof"].items()
        if times is not None
    )
    cures = finding["isolation_cures"]
    if cures is None:
        return text
    return f"{text}: isolation {'cures it' if cures else 'does not cure it'}"


def _not_judged(document: Document) -> str:
    known = {each["test"] for each in document["findings"]}
    if document["command"] == "audit":
        failed = "failed in the audit's own run, with isolation"
        failures = {each: failed for run in document["runs"] for each in run["failed"]}
    else:
        failures = {
            each["test"]: f"failed in {len(each['failed_in'])} of "
            + counted(len(each["failed_in"]) + len(each["passed_in"]), "run")
            for each in document["failures"]
        }
    others = [
        f"{code(test)}: {text}" for test, text in failures.items() if test not in known
    ]
    if not others:
        return ""
    lines = [f"### Not judged: {counted(len(others), 'test')}", ""]
    lines += _listed(others, SHOWN_TESTS)
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


def _conflict(conflict: Document) -> str:
    text = code(conflict["key"])
    if conflict["alias"]:
        text += f" in cache {code(conflict['alias'])}"
    for side, verb in (("left_by", "left by"), ("seen_by", "looked at by")):
        if conflict[side]:
            first, *others = conflict[side]
            text += f"; {verb} {code(first['test'])} at {code(first['at'])}"
            text += f" and {len(others)} more" if others else ""
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
