"""What CI providers are told of a report, where a command runs in one of theirs."""

from __future__ import annotations

from collections.abc import Callable

from ci_cache_isolation.report import github
from ci_cache_isolation.report.documents import Document

__all__ = ["PROVIDERS", "publish"]

Say = Callable[[str], object]

PROVIDERS: list[Callable[[Document, Say], None]] = [github.publish]
"""Each sees by the environment whether it is meant: a new one is one entry more."""


def publish(document: Document, say: Say) -> None:
    """Tell the provider at hand, by lines that ``say`` prints or by its own files."""
    for tell in PROVIDERS:
        tell(document, say)
