"""Keys that would be too long with a section's id in front: cut, and known again."""

from __future__ import annotations

import hashlib

from ci_cache_isolation.isolation.process import SECTION_LENGTH

__all__ = ["FullKeys"]

_DIGEST_LENGTH = 32


class FullKeys:
    """Full keys of one server, and what the user calls those that were cut.

    ``limit`` is the length that a server takes, in characters or in bytes.
    """

    __slots__ = ("counts_bytes", "limit", "shortened")

    def __init__(self, limit: int | None, *, counts_bytes: bool) -> None:
        self.limit = limit
        self.counts_bytes = counts_bytes
        self.shortened: dict[str, str] = {}

    def within(self, full: str) -> str:
        """Keep a key within the limit that it would not pass without its id."""
        limit = self.limit
        if limit is None or (len(full) <= limit and full.isascii()):
            return full
        encoded = full.encode("utf-8", "surrogatepass")
        length = len(encoded) if self.counts_bytes else len(full)
        # If the user's own key is too long, that is for the backend to say.
        if not limit < length <= limit + SECTION_LENGTH:
            return full
        digest = hashlib.blake2b(encoded, digest_size=_DIGEST_LENGTH // 2).hexdigest()
        if self.counts_bytes:
            kept = encoded[: limit - _DIGEST_LENGTH].decode("utf-8", "ignore")
        else:
            kept = full[: limit - _DIGEST_LENGTH]
        self.shortened[kept + digest] = full[SECTION_LENGTH:]
        return kept + digest

    def own(self, full: str) -> str:
        """Return the user's key behind a full one."""
        if self.shortened and full in self.shortened:
            return self.shortened[full]
        return full[SECTION_LENGTH:]

    def own_text(self, text: str, section_id: str) -> str:
        """Return a text that names a full key, with the user's key in its place."""
        for shortened, own in self.shortened.items():
            text = text.replace(shortened, own)
        return text.replace(section_id, "")
