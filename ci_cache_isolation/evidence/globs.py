"""Redis's patterns: ``*``, ``?``, ``[a-z]``, ``[^a]`` and the backslash. Pure.

As ``stringmatchlen`` in Redis's ``util.c`` has them: by bytes, and nothing is an error.
"""

from __future__ import annotations

import functools
import re

__all__ = ["is_match"]


def is_match(pattern: str, key: str) -> bool:
    """Return whether Redis finds a key by a pattern."""
    return _compiled(pattern).fullmatch(_bytes(key)) is not None


@functools.lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[bytes]:
    parts: list[bytes] = []
    rest = _bytes(pattern)
    while rest:
        first, rest = rest[:1], rest[1:]
        if first == b"*":
            # Two in a row would take ages to fail.
            if parts[-1:] != [b".*"]:
                parts.append(b".*")
        elif first == b"?":
            parts.append(b".")
        elif first == b"[":
            part, rest = _class(rest)
            parts.append(part)
        else:
            if first == b"\\" and rest:
                first, rest = rest[:1], rest[1:]
            parts.append(re.escape(first))
    return re.compile(b"".join(parts), re.DOTALL)


def _class(rest: bytes) -> tuple[bytes, bytes]:
    """Return a class as an expression, and what comes after it."""
    is_negated = rest[:1] == b"^"
    rest = rest[is_negated:]
    members: set[int] = set()
    while rest and rest[:1] != b"]":
        if rest[:1] == b"\\" and len(rest) > 1:
            members.add(rest[1])
            rest = rest[2:]
        elif len(rest) > 2 and rest[1:2] == b"-":  # noqa: PLR2004 - "a-z"
            low, high = sorted((rest[0], rest[2]))
            members.update(range(low, high + 1))
            rest = rest[3:]
        else:
            members.add(rest[0])
            rest = rest[1:]
    listed = b"".join(re.escape(bytes([each])) for each in sorted(members))
    if not members:
        return (b"." if is_negated else b"(?!)"), rest[1:]
    return (b"[^" if is_negated else b"[") + listed + b"]", rest[1:]


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
