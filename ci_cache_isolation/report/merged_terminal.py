"""The report of several shards on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from ci_cache_isolation.report.counts import bounded, covered, judged
from ci_cache_isolation.report.words import counted, printable

__all__ = ["show"]

SHOWN = 25


def show(console: Console, document: Mapping[str, Any], report: Path) -> None:
    """Say what a merged report holds, the findings first."""

    def say(text: str, style: str = "") -> None:
        console.print(Text(printable(text), style), soft_wrap=True)

    _findings(say, document)
    say(covered(document))
    for text, style in ((judged(document), "red"), (bounded(document), "green")):
        if text:
            say(text, f"bold {style}")
    if document["interrupted"]:
        say("One of the reports was interrupted: it holds what was known until then.")
    if failure := document["failure"]:
        say(f"One of the runs ended early: {failure}", "bold red")
    say(f"Report: {report}")


def _findings(say: Callable[..., None], document: Mapping[str, Any]) -> None:
    findings = document["findings"]
    for each in findings[:SHOWN]:
        say(f"{each['test']}: {each['verdict']}", "bold red")
        for group in each["after"][:SHOWN]:
            say(f"  after {' together with '.join(group)}")
        if state := each["state"]:
            what = state.get("key") or state.get("function")
            say(f"  carried by {what!r}")
        if each["replay"]:
            say(f"  {each['replay']}")
    if len(findings) > SHOWN:
        say(f"And {len(findings) - SHOWN} more, see the report.")
    named = {each["test"] for each in findings}
    others = [each for each in document["failures"] if each["test"] not in named]
    for each in others[:SHOWN]:
        runs = counted(len(each["failed_in"]) + len(each["passed_in"]), "run")
        say(f"{each['test']}: failed in {len(each['failed_in'])} of {runs}")
