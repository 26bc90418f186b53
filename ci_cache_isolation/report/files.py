"""The files of a report: for programs, for people, and for two kinds of CI."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from ci_cache_isolation.errors import OptionError
from ci_cache_isolation.report.documents import Document
from ci_cache_isolation.report.folders import made
from ci_cache_isolation.report.junit import junit
from ci_cache_isolation.report.markdown import summary
from ci_cache_isolation.report.page import page
from ci_cache_isolation.running.private_files import written

__all__ = ["FILES", "REPORT", "write"]

REPORT = "report.json"


def _json(document: Document) -> str:
    return json.dumps(document, indent=2) + "\n"


FILES: dict[str, Callable[[Document], str]] = {
    # The first is what the others can be made of again.
    REPORT: _json,
    "summary.md": summary,
    "report.html": page,
    "junit.xml": junit,
}
"""What makes the text of each file of the document: a new form is one entry more."""


def write(document: Document, folder: Path) -> None:
    """Write all files: each whole or not at all, for whoever reads it meanwhile.

    `OptionError` where the folder takes none.
    """
    try:
        made(folder)
        for name, text_of in FILES.items():
            written(folder / name, text_of(document))
    except OSError as error:
        raise OptionError(
            f"The report can't be written to {folder}: {error.strerror}. What it found "
            "is lost for whatever reads it there. Name another folder with --report."
        ) from None
