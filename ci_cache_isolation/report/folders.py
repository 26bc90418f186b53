"""The folders that reports are written to, made before anything runs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ci_cache_isolation.errors import OptionError

__all__ = ["AUDIT_REPORT", "STRESS_REPORT", "emptied", "made", "prepared"]

_OF_ORDERS = (
    "orders/[0-9][0-9][0-9]*-*.json",
    "orders/found-*.json",
    "orders/runs.jsonl",
)
_OF_PROCESSES = (
    "orders/cold-*.json",
    "orders/*-*.jsonl",
    "orders/*.log",
    "orders/journal/*.jsonl",
)
_OF_AUDITS = ("journal/*.jsonl", "*.log", "orders/found-*")
STRESS_REPORT = Path(".cache-isolation") / "stress"
AUDIT_REPORT = Path(".cache-isolation") / "audit"


def prepared(report: Path, *, resumes: bool = False) -> Path:
    """Make the report's folder; what an earlier run wrote into it goes.

    For one that resumes it, the orders and what came of them stay.
    """
    orders = report / "orders"
    patterns = _OF_PROCESSES if resumes else (*_OF_ORDERS, *_OF_PROCESSES)
    _make(report, orders, patterns, "Every run leaves its order there.")
    return orders.absolute()


def emptied(report: Path) -> None:
    """Make the audit's folder; what an earlier one wrote into it goes."""
    why = "What tests do to caches is written down there."
    _make(report, report, _OF_AUDITS, why)


def made(report: Path) -> None:
    """Make a report's folder; git ignores it where it was not there before."""
    if not report.exists():
        report.mkdir(parents=True)
        (report / ".gitignore").write_text("*\n", encoding="utf-8")


def _make(report: Path, folder: Path, patterns: Iterable[str], why: str) -> None:
    try:
        made(report)
        folder.mkdir(exist_ok=True)
        for pattern in patterns:
            for file in report.glob(pattern):
                file.unlink()
    except OSError as error:
        raise OptionError(
            f"The report can't be written to {report}: {error.strerror}. "
            f"{why} Name another folder with --report."
        ) from None
