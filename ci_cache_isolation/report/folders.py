"""The folders that reports are written to, made before anything runs."""

from __future__ import annotations

from pathlib import Path

from ci_cache_isolation.errors import OptionError

__all__ = ["AUDIT_REPORT", "STRESS_REPORT", "emptied", "prepared"]

_OF_ORDERS = (
    "[0-9][0-9][0-9]*-*.json",
    "found-*.json",
    "cold-*.json",
    "*.jsonl",
    "*.log",
    "journal/*.jsonl",
)
STRESS_REPORT = Path(".cache-isolation") / "stress"
AUDIT_REPORT = Path(".cache-isolation") / "audit"


def prepared(report: Path) -> Path:
    """Make the report's folder; what an earlier run wrote into it goes."""
    orders = (report / "orders").absolute()
    try:
        orders.mkdir(parents=True, exist_ok=True)
        for pattern in _OF_ORDERS:
            for file in orders.glob(pattern):
                file.unlink()
        if report == STRESS_REPORT:
            (report.parent / ".gitignore").write_text("*\n", encoding="utf-8")
    except OSError as error:
        raise OptionError(
            f"The report can't be written to {report}: {error.strerror}. "
            "Every run leaves its order there. Name another folder with --report."
        ) from None
    return orders


def emptied(report: Path) -> None:
    """Make the audit's folder; what an earlier one wrote into it goes."""
    try:
        report.mkdir(parents=True, exist_ok=True)
        for pattern in ("journal/*.jsonl", "*.log", "orders/found-*"):
            for file in report.glob(pattern):
                file.unlink()
        if report == AUDIT_REPORT:
            (report.parent / ".gitignore").write_text("*\n", encoding="utf-8")
    except OSError as error:
        raise OptionError(
            f"The report can't be written to {report}: {error.strerror}. "
            "What tests do to caches is written down there. "
            "Name another folder with --report."
        ) from None
