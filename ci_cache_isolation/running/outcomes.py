"""What a test comes to, in the words that processes tell each other."""

from __future__ import annotations

__all__ = ["FAILED", "PASSED", "SKIPPED"]

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
