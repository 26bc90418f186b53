"""Types with limits: msgspec holds what a file says to them."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from ci_cache_isolation.running.order_file import MOST_PROCESSES

__all__ = ["Amount", "Count", "Group", "Positive", "Seed", "Split", "Workers"]

Amount = Annotated[float, Meta(ge=0)]
Count = Annotated[int, Meta(ge=0, le=2**32)]
Group = Annotated[tuple[str, ...], Meta(min_length=1)]
Seed = Annotated[int, Meta(ge=0, le=2**33)]
Positive = Annotated[int, Meta(ge=1, le=2**32)]
Split = Annotated[int, Meta(ge=0, le=MOST_PROCESSES)]
Workers = Annotated[int, Meta(ge=1, le=MOST_PROCESSES)]
