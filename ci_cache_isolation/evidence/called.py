"""One call of a cache's method, and the access log that it is recorded in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from django.core.cache.backends.base import DEFAULT_TIMEOUT

from ci_cache_isolation.isolation.clocks import steady

__all__ = ["FAILED", "Called", "Recording"]

FAILED = object()
"""The result of a call that raised."""


class Recording(Protocol):
    """Where operations are recorded, by the key that the caller gave."""

    def is_open(self, cache: Any) -> bool:
        """Return whether anything is to be recorded about a cache."""

    def note(self, noting: Callable[[Called], None], call: Called) -> None:
        """Have a call recorded, by what follows. It fails nobody's test."""

    def look(
        self, cache: Any, key: Any, version: Any, operation: str, *, hit: bool | None
    ) -> None:
        """Record that a key was read or tested."""

    def store(
        self,
        cache: Any,
        key: Any,
        version: Any,
        operation: str,
        deadline: float | None,
    ) -> None:
        """Record that something was stored under a key."""

    def delete(self, cache: Any, key: Any, version: Any, operation: str) -> None:
        """Record that nothing is stored under a key any more."""

    def search(  # noqa: PLR0913
        self,
        cache: Any,
        pattern: str,
        version: Any,
        prefix: str | None,
        operation: str,
        *,
        deletes: bool,
    ) -> None:
        """Record that keys were searched by a pattern, or deleted by one."""

    def clear(self, cache: Any, operation: str) -> None:
        """Record that the cache holds nothing any more."""

    def site(self) -> Any:
        """Return where the running operation was called."""


class Called(NamedTuple):
    """One call of an operation, and what came of it: `FAILED` where it raised."""

    recording: Recording
    operation: str
    cache: Any
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    result: Any

    def given(self, place: int, name: str, default: Any = None) -> Any:
        """Return an argument, by its place or its name."""
        if len(self.args) > place:
            return self.args[place]
        return self.kwargs.get(name, default)

    @property
    def key(self) -> Any:
        """The key, whatever the method calls it."""
        return self.given(0, "key", self.kwargs.get("name"))

    @property
    def has_failed(self) -> bool:
        """Whether it raised."""
        return self.result is FAILED

    @property
    def truth(self) -> bool | None:
        """What the result says, None where it says nothing."""
        return None if self.has_failed or self.result is None else bool(self.result)

    def look(self, version: Any, *, hit: bool | None) -> None:
        """Note that the key was looked at."""
        self.recording.look(self.cache, self.key, version, self.operation, hit=hit)

    def store(self, key: Any, version: Any, timeout: Any) -> None:
        """Note that something was stored, or was not to be kept, as Django has it."""
        if timeout is DEFAULT_TIMEOUT:
            timeout = getattr(self.cache, "default_timeout", None)
        # A test may stop the clock that it sees, and with it the end of its entries.
        deadline = None if timeout is None else steady() + float(timeout)
        if timeout is not None and timeout <= 0:
            self.recording.delete(self.cache, key, version, self.operation)
        else:
            self.recording.store(self.cache, key, version, self.operation, deadline)
