"""What GitHub Actions shows of a report: its summary, and remarks beside lines of code.

It shows ten errors and ten warnings of a step, and drops a summary of more than 1,024
KiB as a whole. So the surest come first, and no more than it shows.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from ci_cache_isolation.judging.verdicts import Verdict
from ci_cache_isolation.report.cards import cards, carrying
from ci_cache_isolation.report.documents import Document, FindingRow
from ci_cache_isolation.report.markdown import summary
from ci_cache_isolation.report.words import printable, together

__all__ = ["publish", "workflow_commands"]

SHOWN = 10
LIMIT = 768 * 1024
_LONGEST = 500


def publish(document: Document, say: Callable[[str], object]) -> None:
    """Tell GitHub Actions, where this runs there.

    A shard's report is a part of what is to be told: there merge does it, once.
    """
    if "merged" not in document and document.get("shard") not in {None, "1/1"}:
        return
    if step := os.environ.get("GITHUB_STEP_SUMMARY"):
        _append(document, Path(step))
    if os.environ.get("GITHUB_ACTIONS") == "true":
        folder = os.path.realpath(".")
        workspace = os.environ.get("GITHUB_WORKSPACE", folder)
        for line in workflow_commands(document, folder, os.path.realpath(workspace)):
            say(line)


def workflow_commands(document: Document, folder: str, workspace: str) -> list[str]:
    """Return the runner's commands that put findings beside lines of code.

    ``folder`` is the one that the suite's paths are relative to, ``workspace`` the
    repository's. First the lines that write, then those that read. Where no line is
    known it is the test's own file.
    """
    findings = [each for card in cards(document["findings"]) for each in card.findings]
    errors: dict[str, str] = {}
    warnings: dict[str, str] = {}
    sides: tuple[Literal["written_at"], Literal["read_at"]] = "written_at", "read_at"
    for side in sides:
        for finding in findings:
            state = finding["state"]
            if state is None and side == "read_at":
                continue
            is_chance = Verdict(finding["verdict"]).is_by_chance
            line = _line(state and state[side], folder, workspace)
            text = _text(finding, side if line else None)
            where = line or _own_file(finding["test"], folder, workspace)
            # One remark for a line, however many tests meet there.
            (warnings if is_chance else errors).setdefault(
                line or finding["test"],
                _command("warning" if is_chance else "error", where, finding, text),
            )
    return [*list(errors.values())[:SHOWN], *list(warnings.values())[:SHOWN]]


def _command(level: str, where: str, finding: FindingRow, text: str) -> str:
    title = _property(f"{finding['verdict']}: {finding['test']}")
    return f"::{level} {where}title={title}::{_data(text)}"


def _text(finding: FindingRow, side: str | None) -> str:
    """Say what is the matter, beside the line of that side or beside none."""
    text = f"{finding['test']}: {Verdict(finding['verdict']).heading}"
    if finding["after"]:
        text += f" ({' together with '.join(finding['after'][0])}"
        more = len(finding["after"]) - 1
        others = f" or one of {more} more" if more > 1 else " or one more"
        text += f"{others if more else ''})"
    if state := finding["state"]:
        what = state.get("function") or carrying(state)
        if more_needed := state.get("together"):
            what += f" together with {together(map(carrying, more_needed))}"
        writes = "changes" if state["kind"] == "state" else "writes"
        verb = writes if side == "written_at" else "reads"
        text = (
            f"This line {verb} {what}. {text}" if side else f"{text}. {what} carries it"
        )
    if replay := finding["replay"]:
        text += f". See it fail: {replay}"
    return text


def _line(at: str | None, folder: str, workspace: str) -> str:
    """Return a file of the repository and a line, nothing for any other place."""
    path, _, line = (at or "").rpartition(":")
    if not path or not re.fullmatch("[1-9][0-9]*", line):
        return ""
    file = _file(path, folder, workspace)
    return f"{file}line={line}," if file else ""


def _own_file(test: str, folder: str, workspace: str) -> str:
    """Return the file that a test's id speaks of, if it is the repository's."""
    path, is_node, _ = test.partition("::")
    names = path.split(".")
    # The longest module first: of a dotted id nothing says where the class begins.
    modules = ["/".join(names[:at]) + ".py" for at in range(len(names), 0, -1)]
    for each in [path] if is_node else modules:
        if os.path.isfile(os.path.join(folder, each)):  # noqa: PTH113,PTH118 - Path raises
            return _file(each, folder, workspace)
    return ""


def _file(path: str, folder: str, workspace: str) -> str:
    file = Path(os.path.relpath(os.path.join(folder, path), workspace))  # noqa: PTH118
    return "" if ".." in file.parts else f"file={_property(file.as_posix())},"


def _data(text: str) -> str:
    """Return text as the runner's toolkit escapes it; the runner takes it back."""
    text = printable(text)
    text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _append(document: Document, path: Path) -> None:
    """Add to what other commands of the same step have written."""
    try:
        there = path.stat().st_size if path.exists() else 0
        with path.open("a", encoding="utf-8") as file:
            file.write(summary(document, LIMIT - there))
    except OSError as error:
        print(  # noqa: T201 - the report is whole, so nothing fails
            f"cache-isolation: {path} can't be written: {error.strerror}. The run's "
            "page lacks its summary. It is in the report's folder.",
            file=sys.stderr,
        )
