"""Where is looked for what tests leave. Commands speak of it too: no Django here."""

from __future__ import annotations

import enum

__all__ = ["Where"]


class Where(enum.StrEnum):
    """Near at hand first: most of what tests leave is the project's own."""

    NEAR = "near"
    """On the project's modules, classes and functions."""
    ALL = "all"
    """On all modules."""
    ROWS = "rows"
    """In the tables of databases."""
