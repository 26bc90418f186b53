"""The folders that reports are written to, made before anything runs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ci_cache_isolation.errors import OptionError
from ci_cache_isolation.running import private_files

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
)
_RECORDED = "orders/notes/*.jsonl"
_OF_AUDITS = ("notes/*.jsonl", "*.log", "suite.jsonl", "orders/found-*")
_FOLDERS = ("orders", "notes", "orders/notes")
_LINK = (
    "The report can't be written to {report}: {link} is a symbolic link. What it leads "
    "to would be deleted or overwritten. Remove it, or name another folder with "
    "--report."
)
STRESS_REPORT = Path(".cache-isolation") / "stress"
AUDIT_REPORT = Path(".cache-isolation") / "audit"


def prepared(report: Path, *, resumes: bool = False) -> Path:
    """Make the report's folder; what an earlier run wrote into it goes.

    For one that resumes it, the orders, what came of them and what its tests were
    seen to do to caches stay.
    """
    orders = report / "orders"
    patterns = _OF_PROCESSES if resumes else (*_OF_ORDERS, *_OF_PROCESSES, _RECORDED)
    _make(report, orders, patterns, "Every run leaves its order there.")
    return orders.absolute()


def emptied(report: Path) -> None:
    """Make the audit's folder; what an earlier one wrote into it goes."""
    why = "What tests do to caches is recorded there."
    _make(report, report / "notes", _OF_AUDITS, why)


def made(report: Path) -> None:
    """Make a report's folder; git ignores it where it was not there before.

    `OptionError` where a link leads out of the folders that the path names: what is
    there could be anybody's, and would be deleted or overwritten.
    """
    for each in (*_on_the_way(report), *(report / name for name in _FOLDERS)):
        if each.is_symlink():
            raise OptionError(_LINK.format(report=report, link=each))
    is_new = not report.exists()
    for each in (*reversed(report.parents), report):
        private_files.made(each, is_ours=False)
    if is_new:
        private_files.written(report / ".gitignore", "*\n")


def _on_the_way(report: Path) -> Iterable[Path]:
    """Return what may be no link: a folder of the project, or one that was named."""
    return [report] if report.is_absolute() else [*report.parents, report]


def _make(report: Path, folder: Path, patterns: Iterable[str], why: str) -> None:
    try:
        made(report)
        if folder != report:
            private_files.made(folder)
        for pattern in patterns:
            for file in report.glob(pattern):
                file.unlink()
    except OSError as error:
        raise OptionError(
            f"The report can't be written to {report}: {error.strerror}. "
            f"{why} Name another folder with --report."
        ) from None
